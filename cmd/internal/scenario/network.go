package scenario

// The network: one VPC over two zones, with a public and a private subnet in
// each, and the security groups everything else stands behind.

type network struct {
	vpc                *resource
	publicA, publicB   *resource
	privateA, privateB *resource

	bastionAdmin *resource
	loadBalancer *resource
	ordersAPI    *resource
	ordersDB     *resource
	lambdaJobs   *resource
	clusterPods  *resource
}

func startNetwork(t *timeline) *network {
	n := &network{}
	n.startSubnets(t)
	n.startGroups(t)
	return n
}

func (n *network) startSubnets(t *timeline) {
	vpcID := ec2ID("vpc", "shop-prod")
	vpcTags := tags{"Name": "shop-prod", "env": "prod", "team": "platform"}
	n.vpc = inProduction(&resource{
		Type: "AWS::EC2::VPC", ID: vpcID, Name: "shop-prod",
		ARN:              ec2ARN("vpc/" + vpcID),
		AvailabilityZone: "Multiple Availability Zones",
		Tags:             vpcTags,
		Configuration: doc{
			"vpcId":           vpcID,
			"ownerId":         Account,
			"state":           doc{"value": "available"},
			"cidrBlock":       "10.20.0.0/16",
			"dhcpOptionsId":   ec2ID("dopt", "shop-prod"),
			"instanceTenancy": "default",
			"isDefault":       false,
			"cidrBlockAssociationSet": list{doc{
				"associationId":  ec2ID("vpc-cidr-assoc", "shop-prod"),
				"cidrBlock":      "10.20.0.0/16",
				"cidrBlockState": doc{"state": "associated"},
			}},
			"ipv6CidrBlockAssociationSet": list{},
			"tags":                        lowerTags(vpcTags),
		},
	})

	n.publicA = n.subnet("public-a", "eu-west-1a", "10.20.0.0/24", 246)
	n.publicB = n.subnet("public-b", "eu-west-1b", "10.20.1.0/24", 247)
	n.privateA = n.subnet("private-a", "eu-west-1a", "10.20.16.0/20", 4061)
	n.privateB = n.subnet("private-b", "eu-west-1b", "10.20.32.0/20", 4064)
	n.publicA.Configuration["mapPublicIpOnLaunch"] = true
	n.publicB.Configuration["mapPublicIpOnLaunch"] = true

	gateway, nat := n.gateways()
	public := n.routeTable("public", doc{
		"destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway.ID,
		"origin": "CreateRoute", "state": "active",
	}, n.publicA, n.publicB)
	private := n.routeTable("private", doc{
		"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": nat.ID,
		"origin": "CreateRoute", "state": "active",
	}, n.privateA, n.privateB)

	t.start(n.vpc, n.publicA, n.publicB, n.privateA, n.privateB, gateway, nat, public, private)

	// Traffic to buckets stops paying for the NAT gateway, and much later the
	// line to the old data centre is cut.
	local, toInternet := private.Configuration["routes"].(list)[0], private.Configuration["routes"].(list)[1]
	dataCentre := doc{
		"destinationCidrBlock": "10.8.0.0/16", "gatewayId": ec2ID("vgw", "data-centre"),
		"origin": "EnableVgwRoutePropagation", "state": "active",
	}
	buckets := doc{
		"destinationPrefixListId": ec2ID("pl", "s3"), "gatewayId": ec2ID("vpce", "s3"),
		"origin": "CreateRoute", "state": "active",
	}
	private.Configuration["routes"] = list{local, toInternet, dataCentre}
	private.Configuration["propagatingVgws"] = list{doc{"gatewayId": ec2ID("vgw", "data-centre")}}
	t.change(at("2026-06-23T13:20:36Z"), terraform, private, func() {
		private.Configuration["routes"] = list{local, toInternet, dataCentre, buckets}
	})
	t.change(at("2026-08-19T09:31:07Z"), terraform, private, func() {
		private.Configuration["routes"] = list{local, toInternet, buckets}
		private.Configuration["propagatingVgws"] = list{}
	})
}

func (n *network) subnet(name, zone, cidr string, free int) *resource {
	id := ec2ID("subnet", name)
	own := tags{"Name": "shop-prod-" + name, "env": "prod", "team": "platform"}
	return inProduction(&resource{
		Type: "AWS::EC2::Subnet", ID: id, Name: "shop-prod-" + name,
		ARN:              ec2ARN("subnet/" + id),
		AvailabilityZone: zone,
		Tags:             own,
		Configuration: doc{
			"subnetId":                    id,
			"subnetArn":                   ec2ARN("subnet/" + id),
			"vpcId":                       n.vpc.ID,
			"ownerId":                     Account,
			"state":                       doc{"value": "available"},
			"cidrBlock":                   cidr,
			"availabilityZone":            zone,
			"availableIpAddressCount":     free,
			"defaultForAz":                false,
			"mapPublicIpOnLaunch":         false,
			"assignIpv6AddressOnCreation": false,
			"ipv6CidrBlockAssociationSet": list{},
			"tags":                        lowerTags(own),
		},
		Relationships: []relationship{to("Is contained in Vpc", n.vpc)},
	})
}

func (n *network) gateways() (internet, nat *resource) {
	internetTags := tags{"Name": "shop-prod", "env": "prod", "team": "platform"}
	internetID := ec2ID("igw", "shop-prod")
	internet = inProduction(&resource{
		Type: "AWS::EC2::InternetGateway", ID: internetID, Name: "shop-prod",
		ARN:              ec2ARN("internet-gateway/" + internetID),
		AvailabilityZone: "Multiple Availability Zones",
		Tags:             internetTags,
		Configuration: doc{
			"internetGatewayId": internetID,
			"ownerId":           Account,
			"attachments":       list{doc{"state": "available", "vpcId": n.vpc.ID}},
			"tags":              lowerTags(internetTags),
		},
		Relationships: []relationship{to("Is attached to Vpc", n.vpc)},
	})

	natTags := tags{"Name": "shop-prod-a", "env": "prod", "team": "platform"}
	natID := ec2ID("nat", "shop-prod-a")
	nat = inProduction(&resource{
		Type: "AWS::EC2::NatGateway", ID: natID, Name: "shop-prod-a",
		ARN:              ec2ARN("natgateway/" + natID),
		AvailabilityZone: "Not Applicable",
		CreatedAt:        "2024-03-11T09:21:40Z",
		Tags:             natTags,
		Configuration: doc{
			"natGatewayId":     natID,
			"connectivityType": "public",
			"createTime":       "2024-03-11T09:21:40Z",
			"state":            doc{"value": "available"},
			"subnetId":         n.publicA.ID,
			"vpcId":            n.vpc.ID,
			"natGatewayAddresses": list{doc{
				"allocationId":       ec2ID("eipalloc", "nat-a"),
				"networkInterfaceId": ec2ID("eni", "nat-a"),
				"privateIp":          "10.20.0.11",
				"publicIp":           "192.0.2.11",
			}},
			"tags": lowerTags(natTags),
		},
		Relationships: []relationship{
			to("Is contained in Subnet", n.publicA),
			to("Is contained in Vpc", n.vpc),
		},
	})
	return internet, nat
}

func (n *network) routeTable(name string, out doc, subnets ...*resource) *resource {
	id := ec2ID("rtb", name)
	own := tags{"Name": "shop-prod-" + name, "env": "prod", "team": "platform"}

	associations := list{}
	relationships := []relationship{to("Is contained in Vpc", n.vpc)}
	for _, subnet := range subnets {
		associations = append(associations, doc{
			"main":                    false,
			"routeTableAssociationId": ec2ID("rtbassoc", subnet.Name),
			"routeTableId":            id,
			"subnetId":                subnet.ID,
		})
		relationships = append(relationships, to("Contains Subnet", subnet))
	}
	local := doc{
		"destinationCidrBlock": "10.20.0.0/16", "gatewayId": "local",
		"origin": "CreateRouteTable", "state": "active",
	}
	return inProduction(&resource{
		Type: "AWS::EC2::RouteTable", ID: id, Name: "shop-prod-" + name,
		ARN:              ec2ARN("route-table/" + id),
		AvailabilityZone: "Not Applicable",
		Tags:             own,
		Configuration: doc{
			"routeTableId":    id,
			"vpcId":           n.vpc.ID,
			"ownerId":         Account,
			"associations":    associations,
			"propagatingVgws": list{},
			"routes":          list{local, out},
			"tags":            lowerTags(own),
		},
		Relationships: relationships,
	})
}
