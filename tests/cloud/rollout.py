"""A job for a group of things, rolled out as AWS IoT Jobs does it: a few at first, more of them as they succeed, and
cancelled when too many fail (developer guide, "Job configurations": exponentialRate, abortConfig)."""

from aws_stand_in import TERMINAL

BAD = {"FAILED", "REJECTED", "TIMED_OUT"}


class Rollout:
    """first: things that get the job at once. Each time those that have it have succeeded, increment times as many
    follow. abort: part of the executed ones that may be bad, once minimum of them are over."""

    def __init__(self, cloud, job, things, document, first=1, increment=2, abort=0.1, minimum=1):
        self.cloud, self.job, self.document = cloud, job, document
        self.waiting = list(things)
        self.next, self.increment = first, increment
        self.abort, self.minimum = abort, minimum
        self.executions = {}
        self.is_aborted = False

    def step(self):
        """What the service does from time to time; true while something is to come."""
        over = [e for e in self.executions.values() if e.status in TERMINAL]
        bad = sum(e.status in BAD for e in over)
        if len(over) >= self.minimum and bad > self.abort * len(over):
            self._cancel()
        elif self.waiting and len(over) == len(self.executions):
            wave, self.waiting = self.waiting[:self.next], self.waiting[self.next:]
            self.next *= self.increment
            for thing in wave:
                self.executions[thing] = self.cloud.create_job(thing, self.job, self.document)
        return not self.is_aborted and bool(self.waiting or any(e.status not in TERMINAL for e in self.executions.values()))

    def _cancel(self):
        self.is_aborted = True
        for thing, execution in self.executions.items():
            if execution.status not in TERMINAL:
                self.cloud.cancel_job(thing, self.job)

    def status(self, thing):
        """As a person reads it."""
        execution = self.executions.get(thing)
        if execution is None:
            return "not started: aborted" if self.is_aborted else "waits for its turn"
        details = next(iter(execution.details.values()), "")
        return f"{execution.status} ({details})" if details else execution.status
