package scenario

import "time"

// The functions: small jobs beside the orders API, each released on its own
// days.

func startFunctions(t *timeline, net *network, ids *identity, data *storage) {
	inVPC := doc{
		"subnetIds":        list{net.privateA.ID, net.privateB.ID},
		"securityGroupIds": list{net.lambdaJobs.ID},
	}
	nowhere := doc{"subnetIds": list{}, "securityGroupIds": list{}}

	export := function("order-export", "python3.12", "export.handler", 512, 300, ids.lambdaJobs, inVPC)
	export.Relationships = append(export.Relationships,
		to("Is associated with SecurityGroup", net.lambdaJobs),
		to("Is contained in Subnet", net.privateA),
		to("Is contained in Subnet", net.privateB))
	export.Configuration["deadLetterConfig"] = doc{"targetArn": data.queue.ARN}
	invoice := function("invoice-mailer", "python3.9", "mailer.handler", 256, 60, ids.lambdaJobs, nowhere)
	resize := function("image-resize", "nodejs20.x", "index.handler", 1024, 30, ids.lambdaJobs, nowhere)
	t.start(export, invoice, resize)

	planCode(t, export, releaseDays(time.Wednesday))
	planCode(t, invoice, everyOther(releaseDays(time.Thursday)))
	planCode(t, resize, everyOther(everyOther(releaseDays(time.Monday))))

	set := func(moment string, by actor, f *resource, name string, value any) {
		t.change(at(moment), by, f, func() {
			f.Configuration[name] = value
			f.Configuration["lastModified"] = moment
			f.Configuration["revisionId"] = uuid("revision", f.Name, moment)
		})
	}
	set("2026-06-26T12:05:33Z", terraform, resize, "runtime", "nodejs22.x")
	set("2026-07-23T10:31:14Z", terraform, export, "memorySize", 1024)
	set("2026-07-31T09:22:48Z", terraform, invoice, "runtime", "python3.13")
	set("2026-08-21T13:10:06Z", terraform, export, "timeout", 600)
}

func function(name, runtime, handler string, memory, timeout int, role *resource, vpc doc) *resource {
	const created = "2025-11-05T14:26:51Z"
	arn := "arn:aws:lambda:" + Region + ":" + Account + ":function:" + name
	return inProduction(&resource{
		Type: "AWS::Lambda::Function", ID: name, Name: name, ARN: arn,
		AvailabilityZone: "Not Applicable",
		Tags:             tags{"env": "prod", "team": "orders"},
		Configuration: doc{
			"functionName":     name,
			"functionArn":      arn,
			"description":      "",
			"runtime":          runtime,
			"role":             role.ARN,
			"handler":          handler,
			"memorySize":       memory,
			"timeout":          timeout,
			"codeSize":         184_310 + pick(60_000, "size", name),
			"codeSha256":       codeHash(name, created),
			"lastModified":     created,
			"revisionId":       uuid("revision", name, created),
			"version":          "$LATEST",
			"packageType":      "Zip",
			"architectures":    list{"arm64"},
			"ephemeralStorage": doc{"size": 512},
			"tracingConfig":    doc{"mode": "PassThrough"},
			"layers":           list{},
			"state":            doc{"value": "Active"},
			"lastUpdateStatus": "Successful",
			"vpcConfig":        vpc,
		},
		Relationships: []relationship{to("Is associated with Role", role)},
	})
}

// planCode releases new code on the days given.
func planCode(t *timeline, f *resource, on []time.Time) {
	for _, day := range on {
		moment := around(day, 13, f.Name)
		t.change(moment, release, f, func() {
			f.Configuration["codeSha256"] = codeHash(f.Name, stamp(moment))
			f.Configuration["codeSize"] = 184_310 + pick(60_000, "size", f.Name, stamp(moment))
			f.Configuration["lastModified"] = stamp(moment)
			f.Configuration["revisionId"] = uuid("revision", f.Name, stamp(moment))
		})
	}
}

func everyOther(all []time.Time) []time.Time {
	var out []time.Time
	for i := 0; i < len(all); i += 2 {
		out = append(out, all[i])
	}
	return out
}
