"""From a job to the next unit of work: values and rolling, pure."""
