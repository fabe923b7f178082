package scenario

import (
	"strconv"
	"time"
)

// The orders API: instances behind a load balancer, kept by an autoscaling
// group and replaced every Tuesday by ones with a newer image, and the bastion
// one reaches them through.

type fleet struct {
	net *network
	ids *identity

	balancer *resource
	template *resource
	group    *resource
	bastion  *resource

	image    string      // the date of the image new instances start from
	members  []*resource // the group's instances, oldest first
	launched int         // how many there ever were
}

const balancerARN = "arn:aws:elasticloadbalancing:" + Region + ":" + Account + ":loadbalancer/app/orders/5f2b8c71d9e04a36"

func startFleet(t *timeline, net *network, ids *identity) *fleet {
	f := &fleet{net: net, ids: ids, image: "2026.05.26"}
	f.startTemplate(t)
	f.startGroup(t)
	f.startBalancer(t)
	f.startBastion(t)
	f.planRotations(t)

	// The summer sale: two more instances for a week.
	f.grow(t, at(saleBegins), release, 5)
	f.shrink(t, at(saleEnds), release, 3)
	return f
}

func (f *fleet) startTemplate(t *timeline) {
	id := ec2ID("lt", "orders-api")
	own := tags{"team": "orders", "cost-centre": "cc-410"}
	f.template = inProduction(&resource{
		Type: "AWS::EC2::LaunchTemplate", ID: id, Name: "orders-api",
		ARN:              ec2ARN("launch-template/" + id),
		AvailabilityZone: "Not Applicable",
		Tags:             own,
		Configuration: doc{
			"Id":                   id,
			"LaunchTemplateName":   "orders-api",
			"LatestVersionNumber":  "114",
			"DefaultVersionNumber": "114",
			"LaunchTemplateData": doc{
				"ImageId":            f.imageID(),
				"InstanceType":       "c7g.large",
				"EbsOptimized":       true,
				"IamInstanceProfile": doc{"Arn": f.ids.ordersAPIProfile.ARN},
				"SecurityGroupIds":   list{f.net.ordersAPI.ID},
				"MetadataOptions":    doc{"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1},
				"Monitoring":         doc{"Enabled": true},
			},
			"Tags": upperTags(own),
		},
		Relationships: []relationship{
			to("Is associated with SecurityGroup", f.net.ordersAPI),
			to("Is associated with InstanceProfile", f.ids.ordersAPIProfile),
		},
	})
	t.start(f.template)
}

func (f *fleet) imageID() string {
	return ec2ID("ami", "orders-api "+f.image)
}

func (f *fleet) startGroup(t *timeline) {
	own := tags{"Name": "orders-api", "env": "prod", "team": "orders", "cost-centre": "cc-410"}
	arn := "arn:aws:autoscaling:" + Region + ":" + Account + ":autoScalingGroup:" +
		uuid("group", "orders-api") + ":autoScalingGroupName/orders-api"
	f.group = inProduction(&resource{
		Type: "AWS::AutoScaling::AutoScalingGroup", ID: arn, Name: "orders-api", ARN: arn,
		AvailabilityZone: "Multiple Availability Zones",
		CreatedAt:        "2024-03-12T10:30:26Z",
		Tags:             own,
		Configuration: doc{
			"autoScalingGroupName": "orders-api",
			"autoScalingGroupARN":  arn,
			"createdTime":          "2024-03-12T10:30:26Z",
			"minSize":              3,
			"maxSize":              8,
			"desiredCapacity":      3,
			"defaultCooldown":      300,
			"availabilityZones":    list{"eu-west-1a", "eu-west-1b"},
			"vpczoneIdentifier":    f.net.privateA.ID + "," + f.net.privateB.ID,
			"launchTemplate": doc{
				"launchTemplateId":   f.template.ID,
				"launchTemplateName": f.template.Name,
				"version":            "$Latest",
			},
			"targetGroupARNs":                  list{"arn:aws:elasticloadbalancing:" + Region + ":" + Account + ":targetgroup/orders-api/9d41c7e05b8f2a63"},
			"loadBalancerNames":                list{},
			"healthCheckType":                  "ELB",
			"healthCheckGracePeriod":           120,
			"terminationPolicies":              list{"OldestInstance"},
			"suspendedProcesses":               list{},
			"enabledMetrics":                   list{},
			"newInstancesProtectedFromScaleIn": false,
			"serviceLinkedRoleARN":             iamARN("role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
			"tags":                             lowerTags(own),
		},
	})
	t.at(at(Start), func() {
		for range 3 {
			instance := f.join(at("2026-05-26T06:18:31Z").Add(time.Duration(f.launched) * 15 * time.Minute))
			t.record(instance, itself)
		}
		f.list()
		t.record(f.group, itself)
	})
}

// join launches one more member of the group. The zones take turns, and no
// more than one instance is launched in a zone at a time.
func (f *fleet) join(launched time.Time) *resource {
	f.launched++
	subnet := f.net.privateA
	if f.launched%2 == 0 {
		subnet = f.net.privateB
	}
	member := f.instance(machine{
		id:       ec2ID("i", subnet.Name+" "+stamp(launched)),
		name:     "orders-api",
		image:    f.imageID(),
		kind:     "c7g.large",
		launched: launched,
		subnet:   subnet,
		address:  privateAddress(subnet, f.launched),
		groups:   []*resource{f.net.ordersAPI},
		profile:  f.ids.ordersAPIProfile,
		tokens:   "required",
		tags: tags{
			"Name": "orders-api", "env": "prod", "team": "orders", "image": f.image,
			"aws:autoscaling:groupName": "orders-api",
		},
	})
	f.members = append(f.members, member)
	return member
}

// leave takes the oldest member out.
func (f *fleet) leave() *resource {
	oldest := f.members[0]
	f.members = f.members[1:]
	return oldest
}

// list writes the members into the group's document.
func (f *fleet) list() {
	instances := list{}
	relationships := []relationship{
		to("Is associated with LaunchTemplate", f.template),
		to("Is associated with Subnet", f.net.privateA),
		to("Is associated with Subnet", f.net.privateB),
	}
	for _, member := range f.members {
		instances = append(instances, doc{
			"instanceId":       member.ID,
			"instanceType":     member.Configuration["instanceType"],
			"availabilityZone": member.AvailabilityZone,
			"lifecycleState":   "InService",
			"healthStatus":     "Healthy",
			"launchTemplate": doc{
				"launchTemplateId":   f.template.ID,
				"launchTemplateName": f.template.Name,
				"version":            f.template.Configuration["LatestVersionNumber"],
			},
			"protectedFromScaleIn": false,
		})
		relationships = append(relationships, to("Contains Instance", member))
	}
	f.group.Configuration["instances"] = instances
	f.group.Configuration["desiredCapacity"] = len(f.members)
	f.group.Relationships = relationships
}

// grow and shrink set the number of members at a moment.

func (f *fleet) grow(t *timeline, moment time.Time, by actor, members int) {
	t.at(moment, func() {
		for len(f.members) < members {
			t.record(f.join(moment), itself)
		}
		f.list()
		t.record(f.group, by)
	})
}

func (f *fleet) shrink(t *timeline, moment time.Time, by actor, members int) {
	t.at(moment, func() {
		for len(f.members) > members {
			t.recordEnd(f.leave(), itself)
		}
		f.list()
		t.record(f.group, by)
	})
}

// planRotations replaces the fleet every Tuesday: a new version of the
// template in the morning, then one instance after the other.
func (f *fleet) planRotations(t *timeline) {
	version := 114
	for _, day := range releaseDays(time.Tuesday) {
		version++
		released := around(day, 5, "orders-api image")
		t.change(released, release, f.template, func() {
			f.image = day.Format("2006.01.02")
			f.template.Configuration["LatestVersionNumber"] = strconv.Itoa(version)
			f.template.Configuration["DefaultVersionNumber"] = strconv.Itoa(version)
			f.template.Configuration["LaunchTemplateData"].(doc)["ImageId"] = f.imageID()
		})
		for i := range 3 {
			f.replace(t, released.Add(time.Duration(15*(i+1))*time.Minute))
		}
	}
}

// replace launches one member and, once it is healthy, ends the oldest.
func (f *fleet) replace(t *timeline, moment time.Time) {
	t.at(moment, func() { t.record(f.join(moment), itself) })
	t.at(moment.Add(4*time.Minute+12*time.Second), func() {
		t.recordEnd(f.leave(), itself)
		f.list()
		t.record(f.group, itself)
	})
}

func (f *fleet) startBalancer(t *timeline) {
	f.balancer = inProduction(&resource{
		Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", ID: balancerARN, Name: "orders", ARN: balancerARN,
		AvailabilityZone: "Multiple Availability Zones",
		CreatedAt:        "2024-03-12T10:21:09Z",
		Tags:             tags{"env": "prod", "team": "orders", "cost-centre": "cc-410"},
		Configuration: doc{
			"loadBalancerArn":       balancerARN,
			"loadBalancerName":      "orders",
			"dNSName":               "orders-1408275936." + Region + ".elb.amazonaws.com",
			"canonicalHostedZoneId": "Z0EXAMPLE2LB01",
			"createdTime":           "2024-03-12T10:21:09Z",
			"scheme":                "internet-facing",
			"type":                  "application",
			"ipAddressType":         "ipv4",
			"state":                 doc{"code": "active"},
			"vpcId":                 f.net.vpc.ID,
			"securityGroups":        list{f.net.loadBalancer.ID},
			"availabilityZones": list{
				doc{"zoneName": "eu-west-1a", "subnetId": f.net.publicA.ID, "loadBalancerAddresses": list{}},
				doc{"zoneName": "eu-west-1b", "subnetId": f.net.publicB.ID, "loadBalancerAddresses": list{}},
			},
		},
		Relationships: []relationship{
			to("Is associated with SecurityGroup", f.net.loadBalancer),
			to("Is attached to Subnet", f.net.publicA),
			to("Is attached to Subnet", f.net.publicB),
			to("Is contained in Vpc", f.net.vpc),
		},
	})
	t.start(f.balancer)

	t.change(at("2026-06-25T09:06:20Z"), terraform, f.balancer, func() {
		f.balancer.Configuration["ipAddressType"] = "dualstack"
	})
}

func (f *fleet) startBastion(t *timeline) {
	bastion := machine{
		id:            OldBastion,
		name:          "bastion",
		image:         ec2ID("ami", "bastion 2025"),
		kind:          "t4g.micro",
		launched:      at("2025-10-07T08:12:44Z"),
		subnet:        f.net.publicA,
		address:       "10.20.0.20",
		publicAddress: "192.0.2.20",
		groups:        []*resource{f.net.bastionAdmin},
		profile:       f.ids.bastionProfile,
		keyName:       "platform-2025",
		tokens:        "optional",
		tags:          tags{"Name": "bastion", "env": "prod", "team": "platform"},
	}
	f.bastion = f.instance(bastion)
	t.start(f.bastion)

	// In August it makes room for one with newer ways: no optional tokens,
	// no shared key.
	bastion.id = NewBastion
	bastion.image = ec2ID("ami", "bastion 2026")
	bastion.launched = at("2026-08-11T08:40:25Z")
	bastion.address, bastion.publicAddress = "10.20.0.21", "192.0.2.21"
	bastion.keyName = ""
	bastion.tokens = "required"
	bastion.tags = tags{"Name": "bastion", "env": "prod", "team": "platform"}
	successor := f.instance(bastion)
	t.create(bastion.launched, terraform, successor)
	t.remove(at("2026-08-11T09:02:53Z"), terraform, f.bastion)
}
