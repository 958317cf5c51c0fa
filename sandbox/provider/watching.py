"""Logs, topics, alarms, dashboards, budgets and the trail."""

import json
from typing import Any

from botocore.exceptions import ClientError

from sandbox.provider.clients import Aws
from sandbox.provider.kinds import (
    Gone,
    Kind,
    Properties,
    Refused,
    camel,
    changed,
    given,
    gone_on,
    mapping,
    pairs,
    retag,
)

NOT_FOUND = "ResourceNotFoundException"


def _create_log_group(aws: Aws, p: Properties) -> str:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=p["name"], tags=p.get("tagsAll") or {}, **given(p, kmsKeyId="kmsKeyId"))
    if p.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=p["name"], retentionInDays=p["retentionInDays"])
    return str(p["name"])


def _read_log_group(aws: Aws, id: str, p: Properties) -> Properties:
    logs = aws.client("logs")
    found = logs.describe_log_groups(logGroupNamePrefix=id)["logGroups"]
    group = next((group for group in found if group["logGroupName"] == id), None)
    if group is None:
        raise Gone
    arn = aws.arn("logs", f"log-group:{id}")
    return {
        "name": id,
        "arn": arn,
        "retentionInDays": group.get("retentionInDays", 0),
        "kmsKeyId": group.get("kmsKeyId", ""),
        "tagsAll": logs.list_tags_for_resource(resourceArn=arn)["tags"],
    }


def _update_log_group(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    logs = aws.client("logs")
    if changed(old, new, "retentionInDays"):
        if new.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=id, retentionInDays=new["retentionInDays"])
        else:
            logs.delete_retention_policy(logGroupName=id)
    arn = aws.arn("logs", f"log-group:{id}")
    retag(
        lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
        lambda names: logs.untag_resource(resourceArn=arn, tagKeys=names),
        old,
        new,
    )


def _delete_log_group(aws: Aws, id: str, p: Properties) -> None:
    with gone_on(NOT_FOUND):
        aws.client("logs").delete_log_group(logGroupName=id)


TOPIC = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId"}


def _create_topic(aws: Aws, p: Properties) -> str:
    sns = aws.client("sns")
    arn = aws.arn("sns", p["name"])
    try:
        sns.get_topic_attributes(TopicArn=arn)
    except ClientError:
        attributes = {name: p[key] for key, name in TOPIC.items() if p.get(key)}
        return str(sns.create_topic(Name=p["name"], Attributes=attributes, Tags=pairs(p.get("tagsAll")))["TopicArn"])
    raise Refused(f"topic {p['name']} already exists")


def _read_topic(aws: Aws, id: str, p: Properties) -> Properties:
    sns = aws.client("sns")
    with gone_on("NotFound"):
        found = sns.get_topic_attributes(TopicArn=id)["Attributes"]
    return {
        "arn": id,
        "name": id.rsplit(":", 1)[1],
        "owner": aws.account,
        **{key: found.get(name, "") for key, name in TOPIC.items()},
        "tagsAll": mapping(sns.list_tags_for_resource(ResourceArn=id)["Tags"]),
    }


def _update_topic(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    sns = aws.client("sns")
    for key, name in TOPIC.items():
        if changed(old, new, key):
            sns.set_topic_attributes(TopicArn=id, AttributeName=name, AttributeValue=new.get(key) or "")
    retag(
        lambda tags: sns.tag_resource(ResourceArn=id, Tags=pairs(tags)),
        lambda names: sns.untag_resource(ResourceArn=id, TagKeys=names),
        old,
        new,
    )


def _delete_topic(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("NotFound"):
        aws.client("sns").delete_topic(TopicArn=id)


def _put_topic_policy(aws: Aws, p: Properties) -> str:
    aws.client("sns").set_topic_attributes(TopicArn=p["arn"], AttributeName="Policy", AttributeValue=p["policy"])
    return str(p["arn"])


def _read_topic_policy(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on("NotFound"):
        found = aws.client("sns").get_topic_attributes(TopicArn=id)["Attributes"]
    return {"arn": id, "policy": found["Policy"], "owner": aws.account}


def _default_topic_policy(aws: Aws, id: str, p: Properties) -> None:
    """A topic always has a policy; its owner's account keeps the use of it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"},
        "Action": ["sns:Publish", "sns:Subscribe"],
        "Resource": id,
    }
    with gone_on("NotFound"):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("sns").set_topic_attributes(TopicArn=id, AttributeName="Policy", AttributeValue=policy)


def _subscribe(aws: Aws, p: Properties) -> str:
    created = aws.client("sns").subscribe(
        TopicArn=p["topic"], Protocol=p["protocol"], Endpoint=p["endpoint"], ReturnSubscriptionArn=True
    )
    return str(created["SubscriptionArn"])


def _find_subscription(aws: Aws, p: Properties) -> str | None:
    with gone_on("NotFound"):
        found = aws.client("sns").list_subscriptions_by_topic(TopicArn=p["topic"])["Subscriptions"]
    wanted = (p["protocol"], p["endpoint"])
    return next((item["SubscriptionArn"] for item in found if (item["Protocol"], item["Endpoint"]) == wanted), None)


def _read_subscription(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on("NotFound"):
        found = aws.client("sns").get_subscription_attributes(SubscriptionArn=id)["Attributes"]
    return {"arn": id, "topic": found["TopicArn"], "protocol": found["Protocol"], "endpoint": found["Endpoint"]}


def _unsubscribe(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("NotFound"):
        aws.client("sns").unsubscribe(SubscriptionArn=id)


ALARM = {
    "AlarmDescription": "alarmDescription",
    "ActionsEnabled": "actionsEnabled",
    "AlarmActions": "alarmActions",
    "OKActions": "okActions",
    "InsufficientDataActions": "insufficientDataActions",
    "MetricName": "metricName",
    "Namespace": "namespace",
    "Statistic": "statistic",
    "ExtendedStatistic": "extendedStatistic",
    "Period": "period",
    "EvaluationPeriods": "evaluationPeriods",
    "DatapointsToAlarm": "datapointsToAlarm",
    "Threshold": "threshold",
    "ComparisonOperator": "comparisonOperator",
    "TreatMissingData": "treatMissingData",
}


def _put_alarm(aws: Aws, p: Properties) -> str:
    arguments: dict[str, Any] = given(p, **ALARM)
    if p.get("dimensions"):
        arguments["Dimensions"] = pairs(p["dimensions"], "Name", "Value")
    if p.get("metricQueries"):
        arguments["Metrics"] = [_query(query) for query in p["metricQueries"]]
    aws.client("cloudwatch").put_metric_alarm(AlarmName=p["name"], Tags=pairs(p.get("tagsAll")), **arguments)
    return str(p["name"])


def _query(query: Properties) -> dict[str, Any]:
    written = given(query, Id="id", Expression="expression", Label="label", Period="period")
    written["ReturnData"] = bool(query.get("returnData", False))
    if metric := query.get("metric"):
        named = given(metric, MetricName="metricName", Namespace="namespace")
        named["Dimensions"] = pairs(metric.get("dimensions"), "Name", "Value")
        written["MetricStat"] = {"Metric": named, "Period": metric["period"], "Stat": metric["stat"]}
    return written


def _query_back(query: dict[str, Any]) -> Properties:
    read: Properties = {
        name: query[key]
        for key, name in (("Id", "id"), ("Expression", "expression"), ("Label", "label"), ("Period", "period"))
        if query.get(key)
    }
    read["returnData"] = query.get("ReturnData", True)
    if stat := query.get("MetricStat"):
        metric = stat["Metric"]
        read["metric"] = {
            "metricName": metric["MetricName"],
            "namespace": metric["Namespace"],
            "dimensions": mapping(metric.get("Dimensions"), "Name", "Value"),
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
    return read


def _read_alarm(aws: Aws, id: str, p: Properties) -> Properties:
    cloudwatch = aws.client("cloudwatch")
    found = cloudwatch.describe_alarms(AlarmNames=[id], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    if not found:
        raise Gone
    alarm = found[0]
    read = {name: alarm.get(key) for key, name in ALARM.items()}
    read |= {
        "name": id,
        "arn": alarm["AlarmArn"],
        "dimensions": mapping(alarm.get("Dimensions"), "Name", "Value"),
        "tagsAll": mapping(cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]),
    }
    if alarm.get("Metrics"):
        read["metricQueries"] = [_query_back(query) for query in alarm["Metrics"]]
    return {name: value for name, value in read.items() if value is not None}


def _update_alarm(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    cloudwatch = aws.client("cloudwatch")
    _put_alarm(aws, new)
    arn = aws.arn("cloudwatch", f"alarm:{id}")
    retag(
        lambda tags: cloudwatch.tag_resource(ResourceARN=arn, Tags=pairs(tags)),
        lambda names: cloudwatch.untag_resource(ResourceARN=arn, TagKeys=names),
        old,
        new,
    )


def _new_alarm(aws: Aws, p: Properties) -> str:
    """Putting an alarm that is there would change it: somebody else's stays as it is."""
    try:
        _read_alarm(aws, p["name"], p)
    except Gone:
        return _put_alarm(aws, p)
    raise Refused(f"alarm {p['name']} already exists")


def _put_dashboard(aws: Aws, p: Properties) -> str:
    aws.client("cloudwatch").put_dashboard(DashboardName=p["dashboardName"], DashboardBody=p["dashboardBody"])
    return str(p["dashboardName"])


def _read_dashboard(aws: Aws, id: str, p: Properties) -> Properties:
    with gone_on("ResourceNotFound", "DashboardNotFoundError", NOT_FOUND):
        found = aws.client("cloudwatch").get_dashboard(DashboardName=id)
    return {"dashboardName": id, "dashboardBody": found["DashboardBody"], "dashboardArn": found["DashboardArn"]}


def _delete_dashboard(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("ResourceNotFound", "DashboardNotFoundError", NOT_FOUND):
        aws.client("cloudwatch").delete_dashboards(DashboardNames=[id])


def _budget(p: Properties) -> dict[str, Any]:
    return {
        "BudgetName": p["name"],
        "BudgetType": p["budgetType"],
        "TimeUnit": p["timeUnit"],
        "BudgetLimit": {"Amount": p["limitAmount"], "Unit": p["limitUnit"]},
        "CostFilters": {item["name"]: item["values"] for item in p.get("costFilters") or []},
    }


def _notifications(aws: Aws, p: Properties) -> list[dict[str, Any]]:
    return [
        {
            "Notification": {
                "NotificationType": item["notificationType"],
                "ComparisonOperator": item["comparisonOperator"],
                "Threshold": item["threshold"],
                "ThresholdType": item["thresholdType"],
            },
            "Subscribers": [
                {"SubscriptionType": kind, "Address": address}
                for kind, key in (("SNS", "subscriberSnsTopicArns"), ("EMAIL", "subscriberEmailAddresses"))
                for address in item.get(key) or []
            ],
        }
        for item in p.get("notifications") or []
    ]


def _create_budget(aws: Aws, p: Properties) -> str:
    aws.client("budgets").create_budget(
        AccountId=aws.account, Budget=_budget(p), NotificationsWithSubscribers=_notifications(aws, p)
    )
    return f"{aws.account}:{p['name']}"


def _read_budget(aws: Aws, id: str, p: Properties) -> Properties:
    """moto gives neither subscribers nor tags back: those are taken as declared."""
    account, name = id.split(":", 1)
    budgets = aws.client("budgets")
    with gone_on("NotFoundException"):
        found = budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
        notifications = budgets.describe_notifications_for_budget(AccountId=account, BudgetName=name)["Notifications"]
    declared = {_threshold(item): item for item in p.get("notifications") or []}
    read = [{**camel({key: item[key] for key in item if key != "NotificationState"})} for item in notifications]
    return {
        "name": name,
        "accountId": account,
        "arn": aws.arn("budgets", f"budget/{name}", region=""),
        "budgetType": found["BudgetType"],
        "timeUnit": found["TimeUnit"],
        "limitAmount": found["BudgetLimit"]["Amount"],
        "limitUnit": found["BudgetLimit"]["Unit"],
        "costFilters": [{"name": key, "values": values} for key, values in found.get("CostFilters", {}).items()],
        "notifications": [{**declared.get(_threshold(item), {}), **item} for item in read],
    }


def _threshold(item: Properties) -> tuple[str, float]:
    return item["notificationType"], float(item["threshold"])


def _update_budget(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    """moto can't change a budget: it is made again under its name."""
    if changed(old, new, "budgetType", "timeUnit", "limitAmount", "limitUnit", "costFilters", "notifications"):
        _delete_budget(aws, id, old)
        _create_budget(aws, new)


def _delete_budget(aws: Aws, id: str, p: Properties) -> None:
    account, name = id.split(":", 1)
    with gone_on("NotFoundException"):
        aws.client("budgets").delete_budget(AccountId=account, BudgetName=name)


TRAIL = {
    "S3BucketName": "s3BucketName",
    "IsMultiRegionTrail": "isMultiRegionTrail",
    "IncludeGlobalServiceEvents": "includeGlobalServiceEvents",
    "EnableLogFileValidation": "enableLogFileValidation",
}


def _create_trail(aws: Aws, p: Properties) -> str:
    trail = aws.client("cloudtrail")
    arguments = given(p, KmsKeyId="kmsKeyId", **TRAIL)
    arn = trail.create_trail(Name=p["name"], TagsList=pairs(p.get("tagsAll")), **arguments)["TrailARN"]
    _trail_settings(aws, p)
    return str(arn)


def _trail_settings(aws: Aws, p: Properties) -> None:
    trail = aws.client("cloudtrail")
    if selectors := p.get("advancedEventSelectors"):
        trail.put_event_selectors(TrailName=p["name"], AdvancedEventSelectors=[_selector(item) for item in selectors])
    (trail.start_logging if p.get("enableLogging", True) else trail.stop_logging)(Name=p["name"])


def _selector(item: Properties) -> dict[str, Any]:
    names = {"equals": "Equals", "startsWiths": "StartsWith", "endsWiths": "EndsWith", "notEquals": "NotEquals"}
    fields = [
        {"Field": field["field"], **{names[key]: value for key, value in field.items() if key in names}}
        for field in item["fieldSelectors"]
    ]
    return {**given(item, Name="name"), "FieldSelectors": fields}


def _selector_back(item: dict[str, Any]) -> Properties:
    names = {"Equals": "equals", "StartsWith": "startsWiths", "EndsWith": "endsWiths", "NotEquals": "notEquals"}
    fields = [
        {"field": field["Field"], **{names[key]: value for key, value in field.items() if key in names}}
        for field in item["FieldSelectors"]
    ]
    return {"name": item.get("Name", ""), "fieldSelectors": fields}


def _read_trail(aws: Aws, id: str, p: Properties) -> Properties:
    trail = aws.client("cloudtrail")
    with gone_on("TrailNotFoundException"):
        found = trail.get_trail(Name=id)["Trail"]
        logging = trail.get_trail_status(Name=id)["IsLogging"]
        selectors = trail.get_event_selectors(TrailName=id).get("AdvancedEventSelectors") or []
    validated = found.get("LogFileValidationEnabled", p.get("enableLogFileValidation"))
    return {
        "name": found["Name"],
        "arn": id,
        "homeRegion": found.get("HomeRegion", aws.region),
        "s3BucketName": found["S3BucketName"],
        "isMultiRegionTrail": found["IsMultiRegionTrail"],
        "includeGlobalServiceEvents": found["IncludeGlobalServiceEvents"],
        "enableLogFileValidation": validated,
        "enableLogging": logging,
        "kmsKeyId": found.get("KmsKeyId") or p.get("kmsKeyId"),
        "advancedEventSelectors": [_selector_back(item) for item in selectors],
        "tagsAll": mapping(trail.list_tags(ResourceIdList=[id])["ResourceTagList"][0]["TagsList"]),
    }


def _update_trail(aws: Aws, id: str, old: Properties, new: Properties) -> None:
    trail = aws.client("cloudtrail")
    if changed(old, new, *TRAIL.values(), "kmsKeyId"):
        trail.update_trail(Name=new["name"], **given(new, KmsKeyId="kmsKeyId", **TRAIL))
    _trail_settings(aws, new)
    retag(
        lambda tags: trail.add_tags(ResourceId=id, TagsList=pairs(tags)),
        lambda names: trail.remove_tags(ResourceId=id, TagsList=[{"Key": name} for name in names]),
        old,
        new,
    )


def _delete_trail(aws: Aws, id: str, p: Properties) -> None:
    with gone_on("TrailNotFoundException"):
        aws.client("cloudtrail").delete_trail(Name=id)


KINDS = [
    Kind(
        "aws:cloudwatch/logGroup:LogGroup",
        _create_log_group,
        _read_log_group,
        _delete_log_group,
        update=_update_log_group,
        # moto can't change the key of a group that is there.
        replaces=("name", "kmsKeyId"),
        name="name",
        outputs=("arn",),
    ),
    Kind(
        "aws:sns/topic:Topic",
        _create_topic,
        _read_topic,
        _delete_topic,
        update=_update_topic,
        replaces=("name",),
        name="name",
        find=lambda aws, p: aws.arn("sns", p["name"]),
        outputs=("arn", "owner"),
    ),
    Kind(
        "aws:sns/topicPolicy:TopicPolicy",
        _put_topic_policy,
        _read_topic_policy,
        _default_topic_policy,
        update=lambda aws, id, old, new: _put_topic_policy(aws, new),
        replaces=("arn",),
        find=lambda aws, p: str(p["arn"]),
        outputs=("owner",),
    ),
    Kind(
        "aws:sns/topicSubscription:TopicSubscription",
        _subscribe,
        _read_subscription,
        _unsubscribe,
        find=_find_subscription,
        outputs=("arn",),
    ),
    Kind(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        _new_alarm,
        _read_alarm,
        lambda aws, id, p: aws.client("cloudwatch").delete_alarms(AlarmNames=[id]),
        update=_update_alarm,
        replaces=("name",),
        name="name",
        outputs=("arn",),
    ),
    Kind(
        "aws:cloudwatch/dashboard:Dashboard",
        _put_dashboard,
        _read_dashboard,
        _delete_dashboard,
        update=lambda aws, id, old, new: _put_dashboard(aws, new),
        replaces=("dashboardName",),
        find=lambda aws, p: str(p["dashboardName"]),
        outputs=("dashboardArn",),
    ),
    Kind(
        "aws:budgets/budget:Budget",
        _create_budget,
        _read_budget,
        _delete_budget,
        update=_update_budget,
        replaces=("name", "accountId"),
        name="name",
        find=lambda aws, p: f"{aws.account}:{p['name']}",
        outputs=("arn",),
    ),
    Kind(
        "aws:cloudtrail/trail:Trail",
        _create_trail,
        _read_trail,
        _delete_trail,
        update=_update_trail,
        replaces=("name",),
        name="name",
        find=lambda aws, p: aws.arn("cloudtrail", f"trail/{p['name']}"),
        outputs=("arn", "homeRegion"),
    ),
]
