"""A program as people write them with boto3: paginators, and errors by their types."""

import datetime
import json
import os
import unittest

import boto3
import botocore
import botocore.config
import botocore.exceptions

GROUP = {"resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-07c41d9be52a8f360"}
ROLE = "arn:aws:iam::123456789012:role/config"


def client(region="eu-central-1", key=os.environ["AWS_ACCESS_KEY_ID"], secret=os.environ["AWS_SECRET_ACCESS_KEY"], **more):
    return boto3.client(
        "config", endpoint_url=os.environ["ENDPOINT"], region_name=region, aws_access_key_id=key, aws_secret_access_key=secret, **more
    )


class Callers(unittest.TestCase):
    def code_of(self, config):
        with self.assertRaises(botocore.exceptions.ClientError) as raised:
            config.describe_configuration_recorders()
        self.assertEqual(raised.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        return raised.exception.response["Error"]["Code"]

    def test_refusals(self):
        self.assertEqual(self.code_of(client(key="AKIANOBODY")), "UnrecognizedClientException")
        self.assertEqual(self.code_of(client(secret="another")), "InvalidSignatureException")
        unsigned = botocore.config.Config(signature_version=botocore.UNSIGNED)
        self.assertEqual(self.code_of(client(config=unsigned)), "MissingAuthenticationTokenException")

    def test_session_tokens_count_for_nothing(self):
        answer = client(aws_session_token="of-some-session").describe_configuration_recorders()
        self.assertTrue(answer["ResponseMetadata"]["RequestId"])


class Items(unittest.TestCase):
    config = client("eu-west-1")

    def test_history_page_by_page(self):
        pages = self.config.get_paginator("get_resource_config_history").paginate(
            **GROUP, chronologicalOrder="Forward", PaginationConfig={"PageSize": 1}
        )
        items = [item for page in pages for item in page["configurationItems"]]
        self.assertEqual([item["configurationItemStatus"] for item in items], ["ResourceDiscovered", "OK"])
        noon = datetime.datetime(2025, 3, 1, 8, tzinfo=datetime.timezone.utc)
        self.assertEqual(items[0]["configurationItemCaptureTime"], noon)
        self.assertIn('"limit":1.0', items[0]["configuration"])
        self.assertEqual(json.loads(items[0]["configuration"])["big"], 12345678901234567890123)

    def test_inventory_page_by_page(self):
        def listed(size):
            pages = self.config.get_paginator("list_discovered_resources").paginate(
                resourceType=GROUP["resourceType"], includeDeletedResources=True, PaginationConfig={"PageSize": size}
            )
            return [r["resourceId"] for page in pages for r in page["resourceIdentifiers"]]

        self.assertEqual(len(listed(100)), 3)
        self.assertEqual(listed(1), listed(100))

    def test_errors_have_types(self):
        with self.assertRaises(self.config.exceptions.ResourceNotDiscoveredException):
            self.config.get_resource_config_history(resourceType="AWS::S3::Bucket", resourceId="nothing")
        with self.assertRaises(self.config.exceptions.InvalidTimeRangeException):
            self.config.get_resource_config_history(
                **GROUP, earlierTime=datetime.datetime(2025, 3, 2), laterTime=datetime.datetime(2025, 3, 1)
            )
        with self.assertRaises(self.config.exceptions.InvalidNextTokenException):
            self.config.list_discovered_resources(resourceType="AWS::S3::Bucket", nextToken="nothing")


class Rules(unittest.TestCase):
    config = client()

    def test_rules_page_by_page(self):
        names = ["rule-%02d" % i for i in range(30)]  # more than one page
        source = {"Owner": "AWS", "SourceIdentifier": "INCOMING_SSH_DISABLED"}
        for name in names:
            self.config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": source})
        try:
            pages = list(self.config.get_paginator("describe_config_rules").paginate())
            self.assertEqual([r["ConfigRuleName"] for page in pages for r in page["ConfigRules"]], names)
            self.assertGreater(len(pages), 1)
            pages = self.config.get_paginator("describe_compliance_by_config_rule").paginate()
            self.assertEqual([r["ConfigRuleName"] for page in pages for r in page["ComplianceByConfigRules"]], names)
        finally:
            for name in names:
                self.config.delete_config_rule(ConfigRuleName=name)

    def test_errors_have_types(self):
        errors = self.config.exceptions
        with self.assertRaises(errors.NoSuchConfigRuleException):
            self.config.describe_config_rules(ConfigRuleNames=["nothing"])
        with self.assertRaises(errors.InvalidParameterValueException):
            self.config.put_config_rule(ConfigRule={"ConfigRuleName": "x", "Source": {"Owner": "AWS", "SourceIdentifier": "NONE"}})
        with self.assertRaises(errors.InvalidResultTokenException):
            self.config.put_evaluations(ResultToken="nothing", Evaluations=[])


class Settings(unittest.TestCase):
    config = client()

    def test_recorder_from_beginning_to_end(self):
        config, errors = self.config, self.config.exceptions
        with self.assertRaises(errors.NoSuchConfigurationRecorderException):
            config.start_configuration_recorder(ConfigurationRecorderName="default")
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": ROLE})
        with self.assertRaises(errors.MaxNumberOfConfigurationRecordersExceededException):
            config.put_configuration_recorder(ConfigurationRecorder={"name": "second", "roleARN": ROLE})
        with self.assertRaises(errors.NoAvailableDeliveryChannelException):
            config.start_configuration_recorder(ConfigurationRecorderName="default")
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "history-of-config"})
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        (status,) = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
        self.assertTrue(status["recording"])
        age = datetime.datetime.now(datetime.timezone.utc) - status["lastStartTime"]
        self.assertLess(abs(age), datetime.timedelta(minutes=1))
        with self.assertRaises(errors.LastDeliveryChannelDeleteFailedException):
            config.delete_delivery_channel(DeliveryChannelName="default")
        config.stop_configuration_recorder(ConfigurationRecorderName="default")
        config.delete_delivery_channel(DeliveryChannelName="default")
        config.delete_configuration_recorder(ConfigurationRecorderName="default")
        self.assertEqual(config.describe_configuration_recorders()["ConfigurationRecorders"], [])

    def test_stored_queries_page_by_page_and_tags(self):
        config, errors = self.config, self.config.exceptions
        arns = {}
        for i in range(5):
            query = {"QueryName": "q%d" % i, "Expression": "SELECT resourceId"}
            arns[query["QueryName"]] = config.put_stored_query(StoredQuery=query)["QueryArn"]
        seen, token = {}, {}
        while True:
            page = config.list_stored_queries(MaxResults=2, **token)
            seen.update((q["QueryName"], q["QueryArn"]) for q in page["StoredQueryMetadata"])
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual(seen, arns)

        config.tag_resource(ResourceArn=arns["q0"], Tags=[{"Key": "team", "Value": "net"}, {"Key": "cost", "Value": "12"}])
        config.untag_resource(ResourceArn=arns["q0"], TagKeys=["cost"])
        tags = config.list_tags_for_resource(ResourceArn=arns["q0"])["Tags"]
        self.assertEqual(tags, [{"Key": "team", "Value": "net"}])
        for name in arns:
            config.delete_stored_query(QueryName=name)
        with self.assertRaises(errors.ResourceNotFoundException):
            config.get_stored_query(QueryName="q0")

    def test_retention(self):
        config = self.config
        config.put_retention_configuration(RetentionPeriodInDays=90)
        pages = config.get_paginator("describe_retention_configurations").paginate()
        days = [r["RetentionPeriodInDays"] for page in pages for r in page["RetentionConfigurations"]]
        self.assertEqual(days, [90])
        config.delete_retention_configuration(RetentionConfigurationName="default")
        with self.assertRaises(config.exceptions.NoSuchRetentionConfigurationException):
            config.describe_retention_configurations(RetentionConfigurationNames=["default"])


if __name__ == "__main__":
    unittest.main()
