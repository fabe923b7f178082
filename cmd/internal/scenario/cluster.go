package scenario

import (
	"fmt"
	"strings"
	"time"
)

// The cluster shop-prod: the newer half of the shop, in three namespaces.
// Documents are as the API server gives them, without managedFields,
// resourceVersion and what else changes while nothing does.

type cluster struct {
	namespaces map[string]*resource

	storefront, cart, catalog *resource // deployments in the namespace shop
	checkout, ledger          *resource // in payments
	mailRelay                 *resource // in platform

	storefrontConfig, checkoutConfig *resource
	scaler                           *resource
}

func startCluster(t *timeline, net *network, ids *identity) *cluster {
	c := &cluster{namespaces: map[string]*resource{}}
	c.startControlPlane(t, net, ids)
	for _, name := range []string{"payments", "platform", "shop"} {
		c.startNamespace(t, name)
	}
	c.startConfig(t)
	c.startDeployments(t, ids)
	c.startServices(t)
	c.planReleases(t)
	c.planHousekeeping(t)
	return c
}

func (c *cluster) startControlPlane(t *timeline, net *network, ids *identity) {
	const arn = "arn:aws:eks:" + Region + ":" + Account + ":cluster/" + Cluster
	own := tags{"env": "prod", "team": "platform"}
	eks := inProduction(&resource{
		Type: "AWS::EKS::Cluster", ID: Cluster, Name: Cluster, ARN: arn,
		AvailabilityZone: "Regional",
		CreatedAt:        "2024-11-18T13:41:27Z",
		Tags:             own,
		Configuration: doc{
			"Name":     Cluster,
			"Arn":      arn,
			"Version":  "1.33",
			"RoleArn":  ids.cluster.ARN,
			"Endpoint": "https://C3F0A9D7E1B24856.gr7." + Region + ".eks.amazonaws.com",
			"ResourcesVpcConfig": doc{
				"SubnetIds":             list{net.privateA.ID, net.privateB.ID},
				"SecurityGroupIds":      list{net.clusterPods.ID},
				"EndpointPrivateAccess": true,
				"EndpointPublicAccess":  true,
				"PublicAccessCidrs":     list{"203.0.113.0/26", "192.0.2.61/32"},
			},
			"KubernetesNetworkConfig": doc{"IpFamily": "ipv4", "ServiceIpv4Cidr": "172.20.0.0/16"},
			"Logging":                 doc{"ClusterLogging": doc{"EnabledTypes": list{doc{"Type": "audit"}}}},
			"OpenIdConnectIssuerUrl":  "https://oidc.eks." + Region + ".amazonaws.com/id/C3F0A9D7E1B24856",
			"Tags":                    upperTags(own),
		},
		Relationships: []relationship{
			to("Is associated with Role", ids.cluster),
			to("Is associated with SecurityGroup", net.clusterPods),
			to("Is contained in Subnet", net.privateA),
			to("Is contained in Subnet", net.privateB),
		},
	})
	t.start(eks)

	t.change(at("2026-08-05T09:02:15Z"), terraform, eks, func() {
		eks.Configuration["Version"] = "1.34"
	})
}

// object is a Kubernetes object; its labels are its tags. What stands beside
// its metadata is in the body.
func (c *cluster) object(group, version, kind, namespace, name, created string, labels tags, body doc) *resource {
	apiVersion, place := version, namespace
	if group != "core" {
		apiVersion = group + "/" + version
	}
	metadata := doc{
		"name":              name,
		"uid":               uuid(Cluster, kind, namespace, name),
		"creationTimestamp": created,
		"labels":            labels,
	}
	if namespace == "" {
		place = "-"
	} else {
		metadata["namespace"] = namespace
	}
	r := inCluster(&resource{
		Type: "Kubernetes::" + group + "::" + kind, ID: place + "/" + name, Name: name,
		CreatedAt:     created,
		Tags:          labels,
		Configuration: doc{"apiVersion": apiVersion, "kind": kind, "metadata": metadata},
	})
	for member, value := range body {
		r.Configuration[member] = value
	}
	if namespace != "" {
		r.Relationships = []relationship{to("Is contained in Namespace", c.namespaces[namespace])}
	}
	return r
}

func (c *cluster) startNamespace(t *timeline, name string) {
	labels := tags{"kubernetes.io/metadata.name": name, "pod-security.kubernetes.io/enforce": "baseline"}
	c.namespaces[name] = c.object("core", "v1", "Namespace", "", name, "2024-11-18T14:20:10Z", labels, doc{
		"spec":   doc{"finalizers": list{"kubernetes"}},
		"status": doc{"phase": "Active"},
	})
	t.start(c.namespaces[name])
}

func (c *cluster) startConfig(t *timeline) {
	c.storefrontConfig = c.object("core", "v1", "ConfigMap", "shop", "storefront-config", "2025-02-03T10:11:12Z",
		tags{"app.kubernetes.io/name": "storefront", "team": "storefront"},
		doc{"data": doc{
			"ASSETS_URL":            "https://assets.example.com",
			"ORDERS_URL":            "https://orders.example.com",
			"FEATURE_NEW_SEARCH":    "off",
			"FEATURE_SAVED_CARTS":   "off",
			"FEATURE_SUMMER_SALE":   "off",
			"RECOMMENDATIONS_LIMIT": "8",
		}})
	c.checkoutConfig = c.object("core", "v1", "ConfigMap", "payments", "checkout-config", "2025-02-06T09:40:00Z",
		tags{"app.kubernetes.io/name": "checkout", "team": "payments"},
		doc{"data": doc{
			"ORDERS_DB_HOST":      databaseHost,
			"ORDERS_DB_POOL_SIZE": "20",
			"ORDERS_QUEUE_URL":    queueURL,
			"PAYMENT_TIMEOUT_MS":  "4000",
			"PAYMENT_RETRIES":     "2",
		}})
	t.start(c.storefrontConfig, c.checkoutConfig)

	set := func(moment string, config *resource, name, value string) {
		t.change(at(moment), kubeRelease, config, func() { setData(config, name, value) })
	}
	set("2026-06-11T09:17:25Z", c.storefrontConfig, "FEATURE_NEW_SEARCH", "staff")
	set("2026-06-24T09:20:08Z", c.storefrontConfig, "FEATURE_NEW_SEARCH", "on")
	set("2026-06-28T20:00:04Z", c.storefrontConfig, "FEATURE_SUMMER_SALE", "on")
	set("2026-07-03T22:00:03Z", c.storefrontConfig, "FEATURE_SUMMER_SALE", "off")
	set("2026-07-29T08:45:51Z", c.storefrontConfig, "RECOMMENDATIONS_LIMIT", "12")
	set("2026-08-05T13:30:19Z", c.storefrontConfig, "FEATURE_SAVED_CARTS", "staff")
	set("2026-08-19T09:10:44Z", c.storefrontConfig, "FEATURE_SAVED_CARTS", "on")
	set("2026-06-16T13:48:37Z", c.checkoutConfig, "PAYMENT_TIMEOUT_MS", "6000")
	set("2026-08-10T12:36:02Z", c.checkoutConfig, "PAYMENT_RETRIES", "3")
}

func setData(config *resource, name, value string) {
	config.Configuration["data"].(doc)[name] = value
}

func (c *cluster) startServices(t *timeline) {
	created := "2025-02-03T10:10:30Z"
	for i, d := range []*resource{c.storefront, c.cart, c.catalog, c.checkout} {
		namespace, _, _ := strings.Cut(d.ID, "/")
		address := fmt.Sprintf("172.20.%d.%d", 40+i, 11+17*i)
		t.start(c.object("core", "v1", "Service", namespace, d.Name, created,
			tags{"app.kubernetes.io/name": d.Name, "team": d.Tags["team"]},
			doc{"spec": doc{
				"type":            "ClusterIP",
				"clusterIP":       address,
				"clusterIPs":      list{address},
				"ipFamilies":      list{"IPv4"},
				"selector":        doc{"app.kubernetes.io/name": d.Name},
				"ports":           list{doc{"name": "main", "port": 80, "targetPort": "main", "protocol": "TCP"}},
				"sessionAffinity": "None",
			}}))
	}

	host := func(name string) doc {
		return doc{"host": name, "http": doc{"paths": list{
			route("/", "storefront"), route("/cart", "cart"), route("/catalog", "catalog"),
		}}}
	}
	ingress := c.object("networking.k8s.io", "v1", "Ingress", "shop", "storefront", created,
		tags{"app.kubernetes.io/name": "storefront", "team": "storefront"},
		doc{"spec": doc{
			"ingressClassName": "nginx",
			"tls":              list{doc{"hosts": list{"shop.example.com"}, "secretName": "shop-example-com"}},
			"rules":            list{host("shop.example.com")},
		}})
	t.start(ingress)
	t.change(at("2026-08-18T12:25:40Z"), kubeRelease, ingress, func() {
		spec := ingress.Configuration["spec"].(doc)
		spec["tls"] = list{doc{"hosts": list{"shop.example.com", "www.shop.example.com"}, "secretName": "shop-example-com"}}
		spec["rules"] = list{host("shop.example.com"), host("www.shop.example.com")}
	})
}

func route(prefix, service string) doc {
	return doc{
		"path": prefix, "pathType": "Prefix",
		"backend": doc{"service": doc{"name": service, "port": doc{"name": "main"}}},
	}
}

func (c *cluster) planHousekeeping(t *timeline) {
	// The storefront gets more visitors at weekends, and the autoscaler
	// follows.
	for _, day := range weekdays(time.Saturday) {
		c.scale(t, around(day, 8, "weekend begins"), itself, c.storefront, 5)
	}
	for _, day := range weekdays(time.Sunday) {
		c.scale(t, around(day, 21, "weekend ends"), itself, c.storefront, 3)
	}

	policy := c.object("networking.k8s.io", "v1", "NetworkPolicy", "payments", "default-deny", "",
		tags{"team": "payments"},
		doc{"spec": doc{"podSelector": doc{}, "policyTypes": list{"Ingress"}}})
	policy.Configuration["metadata"].(doc)["creationTimestamp"] = "2026-06-11T13:02:29Z"
	t.create(at("2026-06-11T13:02:29Z"), kubeTerraform, policy)
	t.change(at("2026-07-27T13:55:03Z"), kubeTerraform, policy, func() {
		policy.Configuration["spec"] = doc{"podSelector": doc{}, "policyTypes": list{"Ingress", "Egress"}}
	})

	c.roll(t, at("2026-06-30T11:40:16Z"), kubeRelease, c.ledger, func() {
		container(c.ledger)["resources"] = doc{
			"requests": doc{"cpu": "100m", "memory": "128Mi"}, "limits": doc{"memory": "256Mi"},
		}
	})
	c.roll(t, at("2026-08-03T11:14:59Z"), kubeRelease, c.checkout, func() {
		pod(c.checkout)["securityContext"] = doc{"runAsNonRoot": true, "runAsUser": 10001}
	})
	c.roll(t, at("2026-08-20T09:27:35Z"), kubeRelease, c.mailRelay, func() {
		container(c.mailRelay)["image"] = image("platform", "mail-relay", "2.4.1")
	})
	t.change(at("2026-08-24T08:31:12Z"), kubeTerraform, c.namespaces["payments"], func() {
		c.namespaces["payments"].Tags["pod-security.kubernetes.io/enforce"] = "restricted"
	})
}
