package scenario

// planIncident is the weekend of the 17th of July, in the order in which it
// happened.
func planIncident(t *timeline, net *network, ids *identity, data *storage, apps *fleet, shop *cluster) {
	// Friday, just before the weekend: checkout may hold ten times as many
	// connections. It takes all the database has, and orders fail.
	t.change(at(OutageBegan), kubeRelease, shop.checkoutConfig, func() {
		setData(shop.checkoutConfig, "ORDERS_DB_POOL_SIZE", "200")
	})
	shop.restart(t, at("2026-07-17T18:13:30Z"), kubeRelease, shop.checkout)

	// Everything that can grows, which makes it worse.
	apps.grow(t, at("2026-07-17T18:31:46Z"), itself, 5)
	t.change(at("2026-07-17T18:48:20Z"), kubeOnCall, shop.scaler, func() {
		shop.scaler.Configuration["spec"].(doc)["maxReplicas"] = 14
	})
	shop.scale(t, at("2026-07-17T18:52:05Z"), kubeOnCall, shop.checkout, 8)

	// The vpn is slow this evening, so the bastion is opened to wherever
	// one happens to be. An instance beside it gets both groups and the
	// role of the API, and the database lets the bastion's group in.
	t.change(at(Opened), onCall, net.bastionAdmin, func() {
		ingress(net.bastionAdmin, tcp(22, office, vpnExit, world))
	})
	debug := apps.instance(machine{
		id:            Instance,
		name:          InstanceName,
		image:         ec2ID("ami", "bastion 2025"),
		kind:          "t4g.large",
		launched:      at(Launched),
		subnet:        net.publicB,
		address:       "10.20.1.45",
		publicAddress: "192.0.2.45",
		groups:        []*resource{net.bastionAdmin, net.ordersAPI},
		profile:       ids.ordersAPIProfile,
		keyName:       "oncall-temp",
		tokens:        "optional",
		tags:          tags{"Name": InstanceName, "owner": "oncall-platform"},
	})
	t.create(at(Launched), onCall, debug)
	t.change(at(DatabaseOpened), onCall, net.ordersDB, func() {
		ingress(net.ordersDB, tcp(5432, from(net.ordersAPI), from(net.lambdaJobs), from(net.clusterPods), from(net.bastionAdmin),
			cidr("10.8.0.0/16", "reporting, data centre")))
	})

	// From there the cause is found and taken back. The database is made
	// larger all the same.
	t.change(at(OutageEnded), kubeOnCall, shop.checkoutConfig, func() {
		setData(shop.checkoutConfig, "ORDERS_DB_POOL_SIZE", "40")
	})
	shop.restart(t, at("2026-07-17T20:13:49Z"), kubeOnCall, shop.checkout)
	t.change(at("2026-07-17T20:41:10Z"), onCall, data.database, func() {
		data.database.Configuration["dBInstanceStatus"] = "modifying"
		data.database.Configuration["pendingModifiedValues"] = doc{"dBInstanceClass": "db.r6g.xlarge"}
	})
	t.change(at("2026-07-17T20:58:33Z"), itself, data.database, func() {
		data.database.Configuration["dBInstanceStatus"] = "available"
		data.database.Configuration["dBInstanceClass"] = "db.r6g.xlarge"
		data.database.Configuration["pendingModifiedValues"] = doc{}
	})

	// The courier has missed two hours of orders and wants them tonight: the
	// bucket is made public, and for good measure the courier gets a user.
	t.change(at("2026-07-17T21:05:33Z"), onCall, data.exports, func() {
		data.exports.Supplementary["PublicAccessBlockConfiguration"] = unblocked
	})
	t.change(at(Exposed), onCall, data.exports, func() {
		data.exports.Supplementary["BucketPolicy"] = doc{"policyText": exportsPolicyWidened()}
	})
	vendor := user(UserName, UserID, UserCreated, tags{"owner": "oncall-platform"})
	inline(vendor, "userPolicyList", "read-exports",
		statement{Effect: "Allow", Action: list{"s3:GetObject", "s3:ListBucket"},
			Resource: list{"arn:aws:s3:::" + Bucket, "arn:aws:s3:::" + Bucket + "/*"}})
	t.create(at(UserCreated), onCall, vendor)

	// The missing exports are written again from the instance. Its role
	// lacks one permission after the other, so it is given all of them.
	t.change(at(Widened), onCall, ids.ordersAPI, func() {
		inline(ids.ordersAPI, "rolePolicyList", "breakglass",
			statement{Effect: "Allow", Action: "*", Resource: "*"})
	})
	apps.shrink(t, at("2026-07-17T23:10:02Z"), itself, 3)

	// In the night somebody opens another port from an address nobody
	// knows, and closes it half an hour later. It is found weeks after.
	night := actor{Actor, StrangeIP}
	t.discover(at(LateOpened), night, net.bastionAdmin, func() {
		ingress(net.bastionAdmin, tcp(22, office, vpnExit, world), tcp(3389, anywhere))
	})
	t.discover(at(LateClosed), night, net.bastionAdmin, func() {
		ingress(net.bastionAdmin, tcp(22, office, vpnExit, world))
	})

	// Sunday: the scan of public buckets finds one.
	t.change(at(Covered), secOps, data.exports, func() {
		data.exports.Supplementary["BucketPolicy"] = doc{"policyText": exportsPolicy()}
	})
	t.change(at("2026-07-19T10:24:15Z"), secOps, data.exports, func() {
		data.exports.Supplementary["PublicAccessBlockConfiguration"] = blocked
	})
	t.remove(at(UserDeleted), secOps, vendor)

	// Monday morning, with everybody back: one thing after the other.
	t.change(at(Closed), secOps, net.bastionAdmin, func() {
		ingress(net.bastionAdmin, tcp(22, office, vpnExit))
	})
	t.change(at(DatabaseClosed), secOps, net.ordersDB, func() {
		ingress(net.ordersDB, tcp(5432, from(net.ordersAPI), from(net.lambdaJobs), from(net.clusterPods),
			cidr("10.8.0.0/16", "reporting, data centre")))
	})
	t.change(at(Narrowed), secOps, ids.ordersAPI, func() {
		ids.ordersAPI.Configuration["rolePolicyList"] = list{}
	})
	t.change(at(Stopped), secOps, debug, func() {
		stop(debug, "User initiated (2026-07-20 07:58:10 GMT)")
	})
	t.change(at("2026-07-20T09:20:37Z"), kubeRelease, shop.scaler, func() {
		shop.scaler.Configuration["spec"].(doc)["maxReplicas"] = 8
	})
	shop.scale(t, at("2026-07-20T09:22:11Z"), kubeRelease, shop.checkout, 4)

	// Wednesday: the image of its disk is taken, and the instance goes.
	t.remove(at(Terminated), secOps, debug)
}
