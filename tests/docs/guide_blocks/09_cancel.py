job.cancel()
