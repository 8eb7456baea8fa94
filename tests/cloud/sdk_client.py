"""A device made of AWS's own SDK (awsiotsdk) that goes through Jobs and the shadow `ota`; it prints what it was told.

usage: sdk_client.py PORT CA CERTIFICATE KEY THING, in a Python that has awsiotsdk. Two jobs wait for the thing."""

import json
import os
import queue
import sys

from awscrt.mqtt_request_response import ClientOptions
from awsiot import ServiceStreamOptions, V2ServiceException, iotjobs, iotshadow, mqtt_connection_builder

WAIT = 10  # s


def connect(port, ca, certificate, key, thing):
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="localhost", port=int(port), ca_filepath=ca, cert_filepath=certificate, pri_key_filepath=key,
        client_id=thing, clean_session=True)
    connection.connect().result(WAIT)
    return connection


def refusal(future):
    """Code and state of what is refused; the SDK could read it."""
    try:
        future.result(WAIT)
    except V2ServiceException as error:
        return error.modeled_error
    raise AssertionError("was not refused")


def go_through_jobs(connection, options, thing, say):
    jobs = iotjobs.IotJobsClientV2(connection, options)
    news = queue.Queue()
    stream = jobs.create_next_job_execution_changed_stream(
        iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=thing),
        ServiceStreamOptions(incoming_event_listener=news.put))
    stream.open()
    pending = jobs.get_pending_job_executions(
        iotjobs.GetPendingJobExecutionsRequest(thing_name=thing)).result(WAIT)
    say(pending=[job.job_id for job in pending.queued_jobs])
    described = jobs.describe_job_execution(iotjobs.DescribeJobExecutionRequest(
        thing_name=thing, job_id="$next", include_job_document=True)).result(WAIT).execution
    say(described=[described.job_id, described.status, described.version_number, described.job_document])
    started = jobs.start_next_pending_job_execution(iotjobs.StartNextPendingJobExecutionRequest(
        thing_name=thing, status_details={"state": "started"})).result(WAIT).execution
    say(started=[started.job_id, started.status, started.version_number, started.status_details])

    def update(status, version):
        return jobs.update_job_execution(iotjobs.UpdateJobExecutionRequest(
            thing_name=thing, job_id=started.job_id, status=status, expected_version=version,
            include_job_execution_state=True))
    stale = refusal(update(iotjobs.JobStatus.IN_PROGRESS, 1))
    say(stale=[stale.code, stale.execution_state.status, stale.execution_state.version_number])
    done = update(iotjobs.JobStatus.SUCCEEDED, 2).result(WAIT).execution_state
    say(done=[done.status, done.version_number])
    late = refusal(update(iotjobs.JobStatus.IN_PROGRESS, 3))
    say(late=[late.code, late.execution_state.status])
    say(next=news.get(timeout=WAIT).execution.job_id)
    unknown = refusal(jobs.describe_job_execution(
        iotjobs.DescribeJobExecutionRequest(thing_name=thing, job_id="no-such-job")))
    say(unknown=unknown.code)


def go_through_shadow(connection, options, thing, say):
    shadows = iotshadow.IotShadowClientV2(connection, options)
    deltas = queue.Queue()
    stream = shadows.create_named_shadow_delta_updated_stream(
        iotshadow.NamedShadowDeltaUpdatedSubscriptionRequest(thing_name=thing, shadow_name="ota"),
        ServiceStreamOptions(incoming_event_listener=deltas.put))
    stream.open()

    def get():
        return shadows.get_named_shadow(iotshadow.GetNamedShadowRequest(thing_name=thing, shadow_name="ota"))

    def update(**state):
        return shadows.update_named_shadow(iotshadow.UpdateNamedShadowRequest(
            thing_name=thing, shadow_name="ota", state=iotshadow.ShadowState(**state))).result(WAIT)
    say(no_shadow=refusal(get()).code)
    update(desired={"check_interval_s": 600})
    delta = deltas.get(timeout=WAIT)
    say(delta=[delta.state, delta.version])
    update(reported={"check_interval_s": 600})
    shadow = get().result(WAIT)
    say(shadow=[shadow.state.desired, shadow.state.reported, shadow.version])


def main():
    port, ca, certificate, key, thing = sys.argv[1:]
    connection = connect(port, ca, certificate, key, thing)
    options = ClientOptions(max_request_response_subscriptions=8, max_streaming_subscriptions=2,
                            operation_timeout_in_seconds=WAIT)

    def say(**what):
        print(json.dumps(what), flush=True)
    go_through_jobs(connection, options, thing, say)
    go_through_shadow(connection, options, thing, say)
    connection.disconnect().result(WAIT)
    os._exit(0)  # awscrt 0.36 crashes now and then while Python takes it down


if __name__ == "__main__":
    main()
