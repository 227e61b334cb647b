"""CloudWatch's evaluation of alarms, as far as ours need it.

A metric is known by all of its dimensions; periods are buckets of time; M of the last N have to breach; what is missing
counts as the alarm says. (MiniStack goes by the metric's name alone, and takes one statistic over all of the time.) The
time is that of the machine and as many seconds more as the file ALARM_CLOCK says, so that a test need not wait for hours.

Composite alarms are MiniStack's own; CloudFormation is taught to make them. Alarms with arithmetic are recorded only.
"""
import json
import os
import time

from ministack.services import cloudwatch
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

BREACHES = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def now():
    with open(os.environ["ALARM_CLOCK"], encoding="utf-8") as clock:
        return time.time() + float(clock.read() or 0)


def datapoints(alarm):
    """One statistic for each of the last periods, None where nothing was put; the one under way counts once it has data."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
    period, count = alarm["Period"], alarm["EvaluationPeriods"]
    buckets = {}
    for point in points:
        buckets.setdefault(int(point["Timestamp"] // period), []).append(point)
    last = int(now() // period)
    if last not in buckets:
        last -= 1
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic")
    of = lambda bucket: cloudwatch._stat_value(cloudwatch._calc_stats(bucket), statistic, bucket)
    return [of(buckets[each]) if each in buckets else None for each in range(last - count + 1, last + 1)]


def state_of(alarm):
    values = datapoints(alarm)
    missing = alarm.get("TreatMissingData", "missing")
    if all(value is None for value in values):
        without_data = {"breaching": "ALARM", "notBreaching": "OK", "ignore": alarm["StateValue"]}
        return without_data.get(missing, "INSUFFICIENT_DATA")
    breaches = BREACHES[alarm["ComparisonOperator"]]
    breaching = [
        missing == "breaching" if value is None else breaches(value, alarm["Threshold"]) for value in values
    ]
    return "ALARM" if sum(breaching) >= alarm.get("DatapointsToAlarm", len(values)) else "OK"


def evaluate(alarm):
    old, new = alarm["StateValue"], state_of(alarm)
    if new == old:
        return
    reason = f"Datapoints {datapoints(alarm)} against {alarm['ComparisonOperator']} {alarm['Threshold']}"
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def put_composite(logical_id, props, stack):
    status, _, answer = cloudwatch._put_composite_alarm({}, props, False, True)
    if status != 200:
        raise ValueError(f"CloudWatch refused {props['AlarmName']}: {answer}")
    return props["AlarmName"], {"Arn": cloudwatch._composite_alarms[props["AlarmName"]]["AlarmArn"]}


def delete_composite(physical_id, props):
    cloudwatch._composite_alarms.pop(physical_id, None)


def teach():
    cloudwatch._evaluate_alarm = evaluate
    _RESOURCE_HANDLERS["AWS::CloudWatch::CompositeAlarm"] = {
        "create": put_composite,
        "update": lambda physical_id, old, new, stack: put_composite(physical_id, new, stack),
        "delete": delete_composite,
    }
    metric_alarm = dict(_RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"])
    _RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"] = {
        **metric_alarm,
        "create": lambda logical_id, props, stack: (props["AlarmName"], {})
        if "Metrics" in props
        else metric_alarm["create"](logical_id, props, stack),
        "update": lambda physical_id, old, new, stack, *more: (physical_id, {})
        if "Metrics" in new
        else metric_alarm["update"](physical_id, old, new, stack, *more),
    }
