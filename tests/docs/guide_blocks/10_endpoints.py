# Start an endpoint
job.start_endpoint()

# Stop an endpoint
job.stop_endpoint()
