// Package scenario holds the estate that `varve demo` imports: ninety days of
// a small shop on AWS and Kubernetes, with one bad weekend in the middle.
//
// The shop keeps an older service, orders-api, on a fleet of instances beside
// a database, some functions and buckets; everything newer runs in the
// cluster shop-prod. Logs lie in an account of their own, backups in a second
// region. Releases, rotations and reviews go by week after week.
//
// On Friday 2026-07-17 a release brings checkout down. During the outage the
// person on call opens the bastion's security group to the world, launches an
// instance in it, makes a bucket public and gives a role every permission. The
// bucket is put right on Sunday, the rest on Monday morning, and by the end
// none of it is left to see.
//
// Everything is fixed: the same lines come out of every call. The files tell
// the story in pieces. Each one begins with documents as they were on the
// first day and goes on with the edits made to them, moment by moment; a
// timeline plays the edits of all files in order and writes a line for each.
// What a demonstration asks about stands in facts.go.
package scenario

import "time"

// Lines returns the observations of all ninety days, one JSON object a line,
// ordered by time, account, type and id.
func Lines() []byte {
	return play().lines.text()
}

// Late returns the observations which came to light only after the weekend
// was over and everything else recorded: what an investigation found in the
// trail about the night to Saturday. They have the form and the order of
// Lines and belong to moments far back among them.
func Late() []byte {
	return play().late.text()
}

// play builds the estate and lets its ninety days go by.
func play() *timeline {
	t := &timeline{}

	net := startNetwork(t)
	ids := startIdentity(t)
	data := startStorage(t, net)
	apps := startFleet(t, net, ids)
	startFunctions(t, net, ids, data)
	startEdge(t, net)
	shop := startCluster(t, net, ids)

	planIncident(t, net, ids, data, apps, shop)
	planCostCentres(t, net, data, apps)

	t.run()
	return t
}

// planCostCentres is a Monday on which the orders team gets a new number, and
// everything it owns a new tag.
func planCostCentres(t *timeline, net *network, data *storage, apps *fleet) {
	moment := at("2026-08-17T08:00:00Z")
	for i, r := range []*resource{
		net.loadBalancer, net.ordersAPI, net.ordersDB, net.lambdaJobs,
		data.database, data.queue, data.exports,
		apps.group, apps.template, apps.balancer,
	} {
		t.change(moment.Add(time.Duration(4*i+7)*time.Second), terraform, r, func() {
			r.Tags["cost-centre"] = "cc-412"
		})
	}
}
