"""Key, registry and feature sets of a department: exact inputs, counts and absences."""

import json
from typing import Any

KEY = "aws:kms/key:Key::claims-dev::arn"


def test_the_key_rotates_and_has_its_alias(dev: Any, prod: Any) -> None:
    assert set(dev.all("kms/key:Key")) == {"claims-dev"}
    assert dev.inputs("kms/key:Key", "claims-dev") == {
        "description": "Data of claims-dev",
        "enableKeyRotation": True,
        "rotationPeriodInDays": 365,
        "deletionWindowInDays": 7,
    }
    assert prod.inputs("kms/key:Key", "claims-prod")["deletionWindowInDays"] == 30
    assert dev.inputs("kms/alias:Alias", "claims-dev") == {
        "name": "alias/claims-dev",
        "targetKeyId": "aws:kms/key:Key::claims-dev::keyId",
    }


def test_a_model_has_a_repository_and_a_package_group(dev: Any) -> None:
    assert dev.inputs("ecr/repository:Repository", "claims-dev-triage") == {
        "name": "claims-dev/triage-server",
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
        "forceDelete": True,
    }
    assert dev.inputs("sagemaker/modelPackageGroup:ModelPackageGroup", "claims-dev-triage") == {
        "modelPackageGroupName": "claims-dev-triage",
        "modelPackageGroupDescription": "Triage of claims",
    }
    lifecycle = dev.inputs("ecr/lifecyclePolicy:LifecyclePolicy", "claims-dev-triage")
    assert lifecycle["repository"] == "claims-dev/triage-server"
    assert json.loads(lifecycle["policy"]) == {
        "rules": [
            {
                "rulePriority": 1,
                "description": "keep the newest 7",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 7},
                "action": {"type": "expire"},
            }
        ]
    }
    assert dev.one("ecr/repository:Repository", "claims-dev-triage").tags["model"] == "triage"


def test_a_prototype_is_in_development_alone(dev: Any, prod: Any) -> None:
    for kind in (
        "ecr/repository:Repository",
        "ecr/lifecyclePolicy:LifecyclePolicy",
        "sagemaker/modelPackageGroup:ModelPackageGroup",
    ):
        assert set(dev.all(kind)) == {"claims-dev-sketch", "claims-dev-triage"}
        assert set(prod.all(kind)) == {"claims-prod-triage"}
    assert prod.inputs("ecr/repository:Repository", "claims-prod-triage")["forceDelete"] is False


def test_a_feature_set_is_one_definition_offline_and_online(dev: Any) -> None:
    assert dev.inputs("glue/catalogDatabase:CatalogDatabase", "claims-dev") == {
        "name": "claims_dev",
        "catalogId": "111111111111",
        "description": "Feature sets of claims-dev",
    }
    offline = dev.inputs("glue/catalogTable:CatalogTable", "claims-dev-claim_history")
    descriptor = offline.pop("storageDescriptor")
    assert offline == {
        "name": "claim_history",
        "catalogId": "111111111111",
        "databaseName": "claims_dev",
        "description": "What a customer claimed before.",
        "owner": "lead@acme.example",
        "tableType": "EXTERNAL_TABLE",
        "parameters": {
            "classification": "parquet",
            "entity": "customer_key",
            "event_time": "as_of",
            "online_table": "claims-dev-claim_history",
            "ttl_days": "30",
        },
        "partitionKeys": [{"name": "day", "type": "date"}],
    }
    assert descriptor["location"] == "s3://acme-claims-dev-features/claim_history/"
    assert descriptor["columns"] == [
        {"name": "customer_key", "type": "string"},
        {"name": "as_of", "type": "timestamp"},
        {"name": "claims_1y", "type": "bigint"},
    ]
    assert dev.inputs("dynamodb/table:Table", "claims-dev-claim_history") == {
        "name": "claims-dev-claim_history",
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "customer_key",
        "attributes": [{"name": "customer_key", "type": "S"}],
        "ttl": {"attributeName": "expires_at", "enabled": True},
        "pointInTimeRecovery": {"enabled": True},
        "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY},
        "deletionProtectionEnabled": False,
    }


def test_production_protects_its_rows(prod: Any) -> None:
    assert prod.inputs("dynamodb/table:Table", "claims-prod-claim_history")["deletionProtectionEnabled"] is True
    assert prod.one("dynamodb/table:Table", "claims-prod-claim_history").protect
    assert prod.one("glue/catalogTable:CatalogTable", "claims-prod-claim_history").protect


def test_a_numeric_entity_is_a_numeric_key(edited: Any) -> None:
    from stagegate.graph import capture

    declarations = edited("claims/department.yaml", ("customer_key: string", "customer_key: bigint"))
    graph = capture(declarations.stack("claims-dev"))
    (table,) = graph.of_type("aws:dynamodb/table:Table")
    assert table.inputs["attributes"] == [{"name": "customer_key", "type": "N"}]


def test_log_groups_wait_for_the_keys_policy(dev: Any) -> None:
    key_policy = dev.one("kms/keyPolicy:KeyPolicy", "claims-dev").urn
    groups = dev.all("cloudwatch/logGroup:LogGroup")
    assert {group.inputs["name"] for group in groups.values()} == {
        f"/stagegate/claims-dev/{what}"
        for what in ("training", "serving", "pipeline", "models/triage", "models/sketch")
    }
    for group in groups.values():
        assert group.inputs["kmsKeyId"] == KEY
        assert group.inputs["retentionInDays"] == 30
        assert key_policy in group.dependencies
