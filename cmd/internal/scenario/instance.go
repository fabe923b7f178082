package scenario

import (
	"fmt"
	"strings"
	"time"
)

// A machine is what the instances of this estate differ in.
type machine struct {
	id, name, image, kind  string
	launched               time.Time
	subnet                 *resource
	address, publicAddress string
	groups                 []*resource
	profile                *resource
	keyName                string
	tokens                 string // whether the metadata service asks for a token: "required" or "optional"
	tags                   tags
}

func (f *fleet) instance(m machine) *resource {
	launched := stamp(m.launched)
	groups := list{}
	relationships := []relationship{
		to("Is contained in Subnet", m.subnet),
		to("Is contained in Vpc", f.net.vpc),
	}
	for _, group := range m.groups {
		groups = append(groups, doc{"groupId": group.ID, "groupName": group.Name})
		relationships = append(relationships, to("Is associated with SecurityGroup", group))
	}
	relationships = append(relationships, to("Is associated with InstanceProfile", m.profile))

	privateName := "ip-" + strings.ReplaceAll(m.address, ".", "-") + "." + Region + ".compute.internal"
	address := doc{"primary": true, "privateDnsName": privateName, "privateIpAddress": m.address}
	card := doc{
		"networkInterfaceId": ec2ID("eni", m.id),
		"interfaceType":      "interface",
		"description":        "",
		"status":             "in-use",
		"ownerId":            Account,
		"subnetId":           m.subnet.ID,
		"vpcId":              f.net.vpc.ID,
		"macAddress":         macAddress(m.id),
		"groups":             groups,
		"privateDnsName":     privateName,
		"privateIpAddress":   m.address,
		"privateIpAddresses": list{address},
		"ipv6Addresses":      list{},
		"sourceDestCheck":    true,
		"attachment": doc{
			"attachmentId":        ec2ID("eni-attach", m.id),
			"attachTime":          launched,
			"deleteOnTermination": true,
			"deviceIndex":         0,
			"networkCardIndex":    0,
			"status":              "attached",
		},
	}

	configuration := doc{
		"instanceId":            m.id,
		"imageId":               m.image,
		"instanceType":          m.kind,
		"architecture":          "arm64",
		"amiLaunchIndex":        0,
		"launchTime":            launched,
		"state":                 doc{"code": 16, "name": "running"},
		"stateTransitionReason": "",
		"placement":             doc{"availabilityZone": m.subnet.AvailabilityZone, "groupName": "", "tenancy": "default"},
		"subnetId":              m.subnet.ID,
		"vpcId":                 f.net.vpc.ID,
		"privateDnsName":        privateName,
		"privateIpAddress":      m.address,
		"publicDnsName":         "",
		"publicIpAddress":       nil,
		"keyName":               nil,
		"securityGroups":        groups,
		"networkInterfaces":     list{card},
		"iamInstanceProfile":    doc{"arn": m.profile.ARN, "id": iamID("AIPA", m.profile.Name)},
		"metadataOptions":       doc{"state": "applied", "httpEndpoint": "enabled", "httpTokens": m.tokens, "httpPutResponseHopLimit": 1},
		"monitoring":            doc{"state": "enabled"},
		"cpuOptions":            doc{"coreCount": 2, "threadsPerCore": 1},
		"ebsOptimized":          true,
		"enaSupport":            true,
		"hypervisor":            "xen",
		"virtualizationType":    "hvm",
		"rootDeviceName":        "/dev/xvda",
		"rootDeviceType":        "ebs",
		"sourceDestCheck":       true,
		"platform":              nil,
		"productCodes":          list{},
		"tags":                  lowerTags(m.tags),
	}
	if m.keyName != "" {
		configuration["keyName"] = m.keyName
	}
	if m.publicAddress != "" {
		publicName := "ec2-" + strings.ReplaceAll(m.publicAddress, ".", "-") + "." + Region + ".compute.amazonaws.com"
		association := doc{"ipOwnerId": "amazon", "publicDnsName": publicName, "publicIp": m.publicAddress}
		configuration["publicDnsName"], configuration["publicIpAddress"] = publicName, m.publicAddress
		card["association"], address["association"] = association, association
	}
	return inProduction(&resource{
		Type: "AWS::EC2::Instance", ID: m.id, Name: m.name,
		ARN:              ec2ARN("instance/" + m.id),
		AvailabilityZone: m.subnet.AvailabilityZone,
		CreatedAt:        launched,
		Tags:             m.tags,
		Configuration:    configuration,
		Relationships:    relationships,
	})
}

// stop leaves an instance as it is found after it was stopped: without its
// public address.
func stop(instance *resource, reason string) {
	c := instance.Configuration
	c["state"] = doc{"code": 80, "name": "stopped"}
	c["stateTransitionReason"] = reason
	c["publicDnsName"], c["publicIpAddress"] = "", nil
	card := c["networkInterfaces"].(list)[0].(doc)
	delete(card, "association")
	delete(card["privateIpAddresses"].(list)[0].(doc), "association")
}

// privateAddress is the address of the nth instance, in a subnet of sixteen
// blocks of 256.
func privateAddress(subnet *resource, n int) string {
	var block int
	cidr := subnet.Configuration["cidrBlock"].(string)
	if _, err := fmt.Sscanf(cidr, "10.20.%d.0/20", &block); err != nil {
		panic("not a subnet of the shop: " + cidr)
	}
	return fmt.Sprintf("10.20.%d.%d", block+n%16, 10+(n*37)%240)
}

func macAddress(id string) string {
	sum := digest("mac", id)
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4])
}
