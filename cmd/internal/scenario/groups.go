package scenario

// The security groups and what they let in.

// The ranges let into bastion-admin, and the one that should never be.
var (
	office   = cidr("203.0.113.0/26", "office")
	vpnExit  = cidr("198.51.100.128/28", "vpn exit")
	world    = cidr("0.0.0.0/0", "outage 2026-07-17, remove after")
	anywhere = cidr("0.0.0.0/0", "")
)

func (n *network) startGroups(t *timeline) {
	standard := n.group(ec2ID("sg", "default"), "default", "default VPC security group", tags{})
	n.loadBalancer = n.group(ec2ID("sg", "orders-lb"), "orders-lb", "orders API, from the internet",
		tags{"Name": "orders-lb", "env": "prod", "team": "orders", "cost-centre": "cc-410"})
	n.bastionAdmin = n.group(SecurityGroup, SecurityGroupName, "administration through the bastion",
		tags{"Name": SecurityGroupName, "env": "prod", "team": "platform"})
	n.ordersAPI = n.group(ec2ID("sg", "orders-api"), "orders-api", "instances of the orders API",
		tags{"Name": "orders-api", "env": "prod", "team": "orders", "cost-centre": "cc-410"})
	n.ordersDB = n.group(ec2ID("sg", "orders-db"), "orders-db", "orders database",
		tags{"Name": "orders-db", "env": "prod", "team": "orders", "cost-centre": "cc-410"})
	n.lambdaJobs = n.group(ec2ID("sg", "lambda-jobs"), "lambda-jobs", "functions which read the orders database",
		tags{"Name": "lambda-jobs", "env": "prod", "team": "orders", "cost-centre": "cc-410"})
	n.clusterPods = n.group(ec2ID("sg", "shop-prod-pods"), "shop-prod-pods", "pods of the cluster shop-prod, on Fargate",
		tags{"Name": "shop-prod-pods", "env": "prod", "team": "platform"})

	ingress(standard, allTraffic(from(standard)))
	ingress(n.loadBalancer, tcp(80, anywhere), tcp(443, anywhere))
	ingress(n.bastionAdmin, tcp(22, office))
	ingress(n.ordersAPI, tcp(8080, from(n.loadBalancer)), tcp(22, from(n.bastionAdmin)))
	ingress(n.ordersDB, tcp(5432, from(n.ordersAPI), cidr("10.8.0.0/16", "reporting, data centre")))
	ingress(n.lambdaJobs)
	ingress(n.clusterPods, allTraffic(from(n.clusterPods)), tcp(443, cidr("10.20.0.0/16", "control plane")))

	t.start(standard, n.loadBalancer, n.bastionAdmin, n.ordersAPI, n.ordersDB, n.lambdaJobs, n.clusterPods)

	t.change(at("2026-06-10T08:52:14Z"), terraform, n.ordersAPI, func() {
		ingress(n.ordersAPI, tcp(8080, from(n.loadBalancer)), tcp(9100, from(n.clusterPods)), tcp(22, from(n.bastionAdmin)))
	})
	t.change(at("2026-06-17T14:07:45Z"), terraform, n.ordersDB, func() {
		ingress(n.ordersDB, tcp(5432, from(n.ordersAPI), from(n.lambdaJobs), from(n.clusterPods),
			cidr("10.8.0.0/16", "reporting, data centre")))
	})
	t.change(at("2026-06-24T10:15:29Z"), terraform, n.bastionAdmin, func() {
		ingress(n.bastionAdmin, tcp(22, office, vpnExit))
	})
	t.change(at("2026-06-25T09:04:51Z"), terraform, n.loadBalancer, func() {
		ingress(n.loadBalancer, tcp(80, anywhere), tcp(443, anywhere, cidr6("::/0")))
	})

	// After the weekend every group is looked at; this one gets a date.
	t.change(at("2026-07-24T09:12:20Z"), terraform, n.bastionAdmin, func() {
		n.bastionAdmin.Tags["reviewed"] = "2026-07-24"
	})
	t.change(at("2026-07-24T09:14:02Z"), terraform, standard, func() {
		ingress(standard)
		standard.Configuration["ipPermissionsEgress"] = list{}
	})
	t.change(at("2026-08-19T09:33:48Z"), terraform, n.ordersDB, func() {
		ingress(n.ordersDB, tcp(5432, from(n.ordersAPI), from(n.lambdaJobs), from(n.clusterPods)))
	})
	t.change(at("2026-08-20T13:47:11Z"), terraform, n.loadBalancer, func() {
		ingress(n.loadBalancer, tcp(443, anywhere, cidr6("::/0")))
	})
}

func (n *network) group(id, name, description string, own tags) *resource {
	return inProduction(&resource{
		Type: "AWS::EC2::SecurityGroup", ID: id, Name: name,
		ARN:              ec2ARN("security-group/" + id),
		AvailabilityZone: "Not Applicable",
		Tags:             own,
		Configuration: doc{
			"groupId":             id,
			"groupName":           name,
			"description":         description,
			"ownerId":             Account,
			"vpcId":               n.vpc.ID,
			"ipPermissions":       list{},
			"ipPermissionsEgress": list{allTraffic(anywhere)},
			"tags":                lowerTags(own),
		},
		Relationships: []relationship{to("Is contained in Vpc", n.vpc)},
	})
}

// ingress says what is let into a group, all of it.
func ingress(group *resource, permissions ...doc) {
	all := list{}
	for _, p := range permissions {
		all = append(all, p)
	}
	group.Configuration["ipPermissions"] = all
}

// A peer is one end a permission lets through, as it stands in the list of
// its kind.
type peer struct {
	kind  string
	entry doc
}

func cidr(block, description string) peer {
	entry := doc{"cidrIp": block}
	if description != "" {
		entry["description"] = description
	}
	return peer{"ipv4Ranges", entry}
}

func cidr6(block string) peer {
	return peer{"ipv6Ranges", doc{"cidrIpv6": block}}
}

func from(group *resource) peer {
	return peer{"userIdGroupPairs", doc{"groupId": group.ID, "userId": Account}}
}

func tcp(port int, peers ...peer) doc {
	p := permission("tcp", peers)
	p["fromPort"], p["toPort"] = port, port
	return p
}

func allTraffic(peers ...peer) doc {
	return permission("-1", peers)
}

// permission lists IPv4 ranges twice, as AWS Config does: once with their
// descriptions, once as text.
func permission(protocol string, peers []peer) doc {
	entries := map[string]list{
		"ipv4Ranges": {}, "ipv6Ranges": {}, "userIdGroupPairs": {},
	}
	plain := list{}
	for _, p := range peers {
		entries[p.kind] = append(entries[p.kind], p.entry)
		if p.kind == "ipv4Ranges" {
			plain = append(plain, p.entry["cidrIp"])
		}
	}
	return doc{
		"ipProtocol":       protocol,
		"ipv4Ranges":       entries["ipv4Ranges"],
		"ipv6Ranges":       entries["ipv6Ranges"],
		"userIdGroupPairs": entries["userIdGroupPairs"],
		"ipRanges":         plain,
		"prefixListIds":    list{},
	}
}
