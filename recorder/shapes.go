package recorder

// A shape tells where documents of some resource types keep their name and
// their tags. The first shape that matches a type is the one that counts, and
// within it the first place that holds something.
//
// A pattern is a type, or the beginning of one followed by *, or "terraform":
// any type in Terraform's spelling. A place is a path of member names, or
// array indexes, within the configuration, or within the supplementary
// configuration of that name if it begins with @. In the name of a member %
// stands for the last part of the resource type: with AWS::Lambda::Function,
// %Name is FunctionName and functionName. A name whose place ends in / is what
// follows the last slash there, and #Name is the tag Name.
//
// Tags are a map of strings, a list of such maps or a list of {key, value}, with
// the members' names in any of AWS's spellings. What is not a string is left
// out, and for Terraform what holds an interpolation: nobody knows its value.
type shape struct {
	pattern string
	names   []string
	tags    []string
}

var awsTags = []string{
	"tags", "Tags", "tagList", "TagList", "tagSet", "TagSet", "tagSet.items",
	"Properties.Tags", // CloudFormation
	"@Tags", "@tags", "@BucketTaggingConfiguration.tagSets.0.tags",
}

var shapes = []shape{
	aws("AWS::AutoScaling::ScalingPolicy", "policyName", "PolicyName"),
	aws("AWS::EC2::KeyPair", "keyName", "KeyName"),
	aws("AWS::EC2::SecurityGroup", "groupName", "GroupName"),
	aws("AWS::ECS::TaskDefinition", "family", "Family"),
	aws("AWS::ElastiCache::CacheCluster", "cacheClusterId", "CacheClusterId"),
	aws("AWS::ElastiCache::ReplicationGroup", "replicationGroupId", "ReplicationGroupId"),
	aws("AWS::ElasticBeanstalk::ApplicationVersion", "versionLabel", "VersionLabel"),
	aws("AWS::IAM::ManagedPolicy", "policyName", "PolicyName"),
	aws("AWS::RDS::DBCluster", "dbclusterIdentifier", "dBClusterIdentifier", "DBClusterIdentifier"),
	aws("AWS::RDS::DBClusterSnapshot", "dbclusterSnapshotIdentifier", "dBClusterSnapshotIdentifier", "DBClusterSnapshotIdentifier"),
	aws("AWS::RDS::DBInstance", "dBInstanceIdentifier", "DBInstanceIdentifier"),
	aws("AWS::RDS::DBSnapshot", "dBSnapshotIdentifier", "DBSnapshotIdentifier"),
	aws("AWS::Redshift::Cluster", "clusterIdentifier", "ClusterIdentifier"),
	aws("AWS::Redshift::ClusterParameterGroup", "parameterGroupName", "ParameterGroupName"),
	aws("AWS::Redshift::ClusterSnapshot", "snapshotIdentifier", "SnapshotIdentifier"),
	aws("AWS::Redshift::EventSubscription", "custSubscriptionId", "CustSubscriptionId"),
	aws("AWS::*"),
	{
		pattern: "Kubernetes::*",
		names:   []string{"metadata.name"},
		tags:    []string{"metadata.labels"},
	},
	{
		pattern: "terraform",
		names:   []string{"values.name", "attributes.name", "name", "values.tags.Name", "attributes.tags.Name", "tags.Name", "tags.0.Name"},
		tags:    []string{"values.tags", "values.tags_all", "attributes.tags", "attributes.tags_all", "tags", "tags_all"},
	},
	{
		pattern: "*.googleapis.com/*",
		names:   []string{"displayName", "name/", "resource.data.displayName", "resource.data.name/"},
		tags:    []string{"labels", "resource.data.labels", "resource.labels", "metadata.labels", "metadata.Labels"},
	},
}

// aws is a shape of AWS: the names that the type alone has, then those that most
// types have, then the tag that stands in for a name.
func aws(pattern string, names ...string) shape {
	names = append(names, "%Name", "name", "Name", "Properties.%Name", "Properties.Name", "#Name")
	return shape{pattern: pattern, names: names, tags: awsTags}
}
