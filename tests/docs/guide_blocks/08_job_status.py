status = job.status()
print(f"Job status: {status}")
