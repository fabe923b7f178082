package scenario

// What stands at the edge: the certificate of the orders API. It is renewed
// once in the ninety days, by itself.
func startEdge(t *timeline, net *network) {
	const arn = "arn:aws:acm:" + Region + ":" + Account + ":certificate/2b7d90c4-58e1-4f3a-a6d2-0c91e7b35f48"
	own := tags{"env": "prod", "team": "orders"}
	certificate := inProduction(&resource{
		Type: "AWS::ACM::Certificate", ID: arn, Name: "orders.example.com", ARN: arn,
		AvailabilityZone: "Regional",
		CreatedAt:        "2025-08-14T08:00:52Z",
		Tags:             own,
		Configuration: doc{
			"certificateArn":          arn,
			"domainName":              "orders.example.com",
			"subjectAlternativeNames": list{"orders.example.com"},
			"type":                    "AMAZON_ISSUED",
			"status":                  "ISSUED",
			"keyAlgorithm":            "RSA-2048",
			"signatureAlgorithm":      "SHA256WITHRSA",
			"issuer":                  "Amazon",
			"serial":                  "0a:4e:17:c2:93:5d:b8:61:f0:2c:77:ae:19:d4:83:5b",
			"createdAt":               "2025-08-14T08:00:52Z",
			"issuedAt":                "2025-08-14T08:03:11Z",
			"notBefore":               "2025-08-14T00:00:00Z",
			"notAfter":                "2026-09-12T23:59:59Z",
			"renewalEligibility":      "ELIGIBLE",
			"inUseBy":                 list{balancerARN},
			"options":                 doc{"certificateTransparencyLoggingPreference": "ENABLED"},
		},
	})
	t.start(certificate)

	t.change(at("2026-07-14T04:19:37Z"), itself, certificate, func() {
		certificate.Configuration["serial"] = "06:d1:5a:38:ef:90:42:bb:7c:13:e6:05:9f:a8:2d:c4"
		certificate.Configuration["issuedAt"] = "2026-07-14T04:17:02Z"
		certificate.Configuration["notBefore"] = "2026-07-14T00:00:00Z"
		certificate.Configuration["notAfter"] = "2027-08-12T23:59:59Z"
	})
}
