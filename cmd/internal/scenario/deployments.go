package scenario

import (
	"fmt"
	"strings"
	"time"
)

// The deployments of the cluster, what scales them and what releases them.

func (c *cluster) startDeployments(t *timeline, ids *identity) {
	account := c.object("core", "v1", "ServiceAccount", "payments", "checkout", "2025-02-06T09:41:13Z",
		tags{"app.kubernetes.io/name": "checkout", "team": "payments"},
		doc{"automountServiceAccountToken": true})
	account.Configuration["metadata"].(doc)["annotations"] = doc{"eks.amazonaws.com/role-arn": ids.checkout.ARN}
	t.start(account)

	c.storefront = c.deployment("shop", "storefront", "storefront", "4.18.0", 3, 8080)
	c.cart = c.deployment("shop", "cart", "storefront", "2.7.3", 2, 8080)
	c.catalog = c.deployment("shop", "catalog", "storefront", "3.2.1", 2, 8080)
	c.checkout = c.deployment("payments", "checkout", "payments", "1.44.2", 4, 8443)
	c.ledger = c.deployment("payments", "ledger", "payments", "1.9.0", 1, 8080)
	c.mailRelay = c.deployment("platform", "mail-relay", "platform", "latest", 1, 2525)

	container(c.storefront)["envFrom"] = list{doc{"configMapRef": doc{"name": "storefront-config"}}}
	container(c.checkout)["envFrom"] = list{doc{"configMapRef": doc{"name": "checkout-config"}}}
	pod(c.checkout)["serviceAccountName"] = "checkout"
	container(c.ledger)["resources"] = doc{}
	t.start(c.storefront, c.cart, c.catalog, c.checkout, c.ledger, c.mailRelay)

	c.scaler = c.object("autoscaling", "v2", "HorizontalPodAutoscaler", "shop", "storefront", "2025-02-03T10:12:40Z",
		tags{"app.kubernetes.io/name": "storefront", "team": "storefront"},
		doc{"spec": doc{
			"scaleTargetRef": doc{"apiVersion": "apps/v1", "kind": "Deployment", "name": "storefront"},
			"minReplicas":    3,
			"maxReplicas":    8,
			"metrics": list{doc{
				"type":     "Resource",
				"resource": doc{"name": "cpu", "target": doc{"type": "Utilization", "averageUtilization": 65}},
			}},
		}})
	t.start(c.scaler)
}

func (c *cluster) deployment(namespace, name, team, version string, replicas, port int) *resource {
	labels := tags{"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop", "team": team}
	selected := doc{"app.kubernetes.io/name": name}
	d := c.object("apps", "v1", "Deployment", namespace, name, "2025-02-03T10:10:00Z", labels, doc{
		"spec": doc{
			"replicas":                replicas,
			"revisionHistoryLimit":    10,
			"progressDeadlineSeconds": 600,
			"selector":                doc{"matchLabels": selected},
			"strategy": doc{
				"type":          "RollingUpdate",
				"rollingUpdate": doc{"maxSurge": "25%", "maxUnavailable": "25%"},
			},
			"template": doc{
				"metadata": doc{"labels": doc{"app.kubernetes.io/name": name, "team": team}, "annotations": doc{}},
				"spec": doc{
					"containers": list{doc{
						"name":            name,
						"image":           image(namespace, name, version),
						"imagePullPolicy": "IfNotPresent",
						"ports":           list{doc{"name": "main", "containerPort": port, "protocol": "TCP"}},
						"resources": doc{
							"requests": doc{"cpu": "250m", "memory": "256Mi"},
							"limits":   doc{"memory": "512Mi"},
						},
						"readinessProbe": doc{"tcpSocket": doc{"port": "main"}, "periodSeconds": 10},
					}},
					"restartPolicy":                 "Always",
					"serviceAccountName":            "default",
					"terminationGracePeriodSeconds": 30,
				},
			},
		},
	})
	d.Configuration["metadata"].(doc)["generation"] = 40 + pick(60, "generation", name)
	settle(d)
	return d
}

func image(namespace, name, version string) string {
	return "registry.example.com/" + namespace + "/" + name + ":" + version
}

func pod(d *resource) doc {
	return d.Configuration["spec"].(doc)["template"].(doc)["spec"].(doc)
}

func container(d *resource) doc {
	return pod(d)["containers"].(list)[0].(doc)
}

// settle writes the status of a deployment whose pods have all come up.
func settle(d *resource) {
	replicas := d.Configuration["spec"].(doc)["replicas"]
	d.Configuration["status"] = doc{
		"observedGeneration": d.Configuration["metadata"].(doc)["generation"],
		"replicas":           replicas,
		"updatedReplicas":    replicas,
		"readyReplicas":      replicas,
		"availableReplicas":  replicas,
	}
}

// roll plans an edit of a deployment's spec. It is recorded once the pods are
// there, so that a release is one line.
func (c *cluster) roll(t *timeline, moment time.Time, by actor, d *resource, edit func()) {
	t.change(moment, by, d, func() {
		edit()
		metadata := d.Configuration["metadata"].(doc)
		metadata["generation"] = metadata["generation"].(int) + 1
		settle(d)
	})
}

func (c *cluster) scale(t *timeline, moment time.Time, by actor, d *resource, replicas int) {
	c.roll(t, moment, by, d, func() { d.Configuration["spec"].(doc)["replicas"] = replicas })
}

// restart is what `kubectl rollout restart` does.
func (c *cluster) restart(t *timeline, moment time.Time, by actor, d *resource) {
	c.roll(t, moment, by, d, func() {
		template := d.Configuration["spec"].(doc)["template"].(doc)
		template["metadata"].(doc)["annotations"] = doc{"kubectl.kubernetes.io/restartedAt": stamp(moment)}
	})
}

// planReleases is the everyday life of the cluster: a new image of this or
// that several times a week. One release in six does not happen.
func (c *cluster) planReleases(t *timeline) {
	for _, every := range []struct {
		d    *resource
		on   []time.Time
		hour int
	}{
		{c.storefront, releaseDays(time.Monday, time.Tuesday, time.Thursday), 9},
		{c.cart, releaseDays(time.Tuesday, time.Thursday), 11},
		{c.catalog, releaseDays(time.Wednesday), 10},
		{c.checkout, releaseDays(time.Monday, time.Wednesday), 14},
		{c.ledger, everyOther(releaseDays(time.Wednesday)), 8},
	} {
		for _, day := range every.on {
			if pick(6, "no release", every.d.ID, stamp(day)) == 0 {
				continue
			}
			c.roll(t, around(day, every.hour, every.d.ID), kubeRelease, every.d, func() {
				container(every.d)["image"] = nextImage(container(every.d)["image"].(string))
			})
		}
	}

	// One release of the storefront should not have left the building; it
	// is taken back within the hour.
	var before any
	c.roll(t, at("2026-08-12T10:05:12Z"), kubeRelease, c.storefront, func() {
		before = container(c.storefront)["image"]
		container(c.storefront)["image"] = image("shop", "storefront", "5.0.0-rc.1")
	})
	c.roll(t, at("2026-08-12T10:52:38Z"), kubeOnCall, c.storefront, func() {
		container(c.storefront)["image"] = before
	})
}

// nextImage counts up the last part of a version; after four of them the
// middle one.
func nextImage(image string) string {
	repository, version, _ := strings.Cut(image, ":")
	var major, minor, patch int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); err != nil {
		panic("an image without a version: " + image)
	}
	patch++
	if patch > 4 {
		minor, patch = minor+1, 0
	}
	return fmt.Sprintf("%s:%d.%d.%d", repository, major, minor, patch)
}
