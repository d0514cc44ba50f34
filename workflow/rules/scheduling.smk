# How soon a job follows the one before. Beside it stand `scheduler` and `scheduler-subsample` of the
# profiles: which of the jobs that wait are looked at.

# As many starts in so many seconds as Snakemake allows unless it is told otherwise.
USUAL_STARTS = 100, 1


def count_no_starts():
    """Let jobs start as soon as they can, unless the command line limits how many a second.

    Snakemake counts starts, and for each job that starts or ends it looks at all that wait once more
    in every second, until the run ends: with hundreds of jobs that keeps a core busy.
    """
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and (limiter.max_jobs, limiter.timespan) == USUAL_STARTS:
        workflow.scheduler.job_rate_limiter = None
