package graph

import "strings"

// Google's resources are named in several ways:
//
//	//compute.googleapis.com/projects/P/zones/Z/instances/I           full resource name
//	https://www.googleapis.com/compute/v1/projects/P/zones/Z/…        self link
//	https://compute.googleapis.com/compute/v1/projects/P/zones/Z/…    likewise
//	projects/P/topics/T                                               relative name, where the collection tells the service
//
// The full resource name is the one spelling which terms are in.

func fullName(s string) (identifier, bool) {
	host, rest, ok := strings.Cut(s[2:], "/")
	if !ok || rest == "" || !strings.HasSuffix(host, ".googleapis.com") || !clean(s) {
		return identifier{}, false
	}
	return identifier{kind: 'g', text: s}, true
}

// link reads the addresses that are identifiers: Google's self links and the
// URLs of SQS queues.
func (t *tables) link(s string) (identifier, bool) {
	host, path, ok := strings.Cut(s[len("https://"):], "/")
	if !ok || !clean(s) {
		return identifier{}, false
	}
	if service, ok := strings.CutSuffix(host, ".googleapis.com"); ok {
		if service == "www" || service == "content" {
			service, path, _ = strings.Cut(path, "/")
		} else if rest, ok := strings.CutPrefix(path, service+"/"); ok {
			path = rest
		}
		version, name, ok := strings.Cut(path, "/")
		if !ok || len(version) < 2 || version[0] != 'v' && version != "beta" && version != "alpha" || strings.Contains(name, "?") {
			return identifier{}, false
		}
		switch {
		case service == "storage":
			if name, ok = strings.CutPrefix(name, "b/"); !ok || strings.Contains(name, "/") {
				return identifier{}, false
			}
		case !strings.HasPrefix(name, "projects/") && !strings.HasPrefix(name, "organizations/") && !strings.HasPrefix(name, "folders/"):
			return identifier{}, false
		}
		return identifier{kind: 'g', text: "//" + service + ".googleapis.com/" + name}, true
	}
	// https://sqs.us-east-1.amazonaws.com/123456789012/orders
	if region, ok := strings.CutPrefix(host, "sqs."); ok {
		if region, ok = strings.CutSuffix(region, ".amazonaws.com"); ok {
			account, name, ok := strings.Cut(path, "/")
			if ok && len(account) == 12 && name != "" && !strings.Contains(name, "/") {
				return t.arn("arn:aws:sqs:" + region + ":" + account + ":" + name)
			}
		}
	}
	return identifier{}, false
}

// relativeName reads a relative resource name whose collection belongs to one
// service only.
func (t *tables) relativeName(s string) (identifier, bool) {
	_, rest, ok := strings.Cut(s, "/")
	if !ok || rest == "" || !clean(s) {
		return identifier{}, false
	}
	if !strings.HasPrefix(s, "projects/") && !strings.HasPrefix(s, "organizations/") && !strings.HasPrefix(s, "folders/") {
		return identifier{}, false
	}
	parts := strings.Split(s, "/")
	if len(parts)%2 != 0 {
		return identifier{}, false
	}
	for i := 2; i < len(parts); i += 2 {
		if parts[i+1] == "" {
			return identifier{}, false
		}
	}
	// The last collections belong to the service: projects/P/locations/L/keyRings/K/cryptoKeys/C.
	collection := parts[len(parts)-2]
	service := t.google[collection]
	if service == "" {
		return identifier{}, false
	}
	if service == "iam" && collection == "serviceAccounts" {
		return serviceAccount(parts[len(parts)-1])
	}
	return identifier{kind: 'g', text: "//" + service + ".googleapis.com/" + s}, true
}

// serviceAccount tells a service account by its address, which is unique.
func serviceAccount(email string) (identifier, bool) {
	at := strings.IndexByte(email, '@')
	if at <= 0 || !strings.HasSuffix(email, ".gserviceaccount.com") || !clean(email) || strings.ContainsAny(email, ":/[") {
		return identifier{}, false
	}
	return identifier{kind: 'g', text: "serviceAccount:" + email}, true
}

// googleName is the full resource name of a resource of Google's.
func googleName(typ, id string) (string, bool) {
	service, kind, _ := strings.Cut(typ, "/")
	switch {
	case strings.HasPrefix(id, "//"):
	case strings.HasPrefix(id, "gs://"):
		id = "//storage.googleapis.com/" + id[len("gs://"):]
	case strings.HasPrefix(id, "projects/") || strings.HasPrefix(id, "organizations/") || strings.HasPrefix(id, "folders/"):
		id = "//" + service + "/" + id
	case typ == "storage.googleapis.com/Bucket":
		id = "//storage.googleapis.com/" + id
	case typ == "cloudresourcemanager.googleapis.com/Project":
		id = "//" + service + "/projects/" + id
	default:
		return "", false
	}
	if kind == "ServiceAccount" {
		if account, ok := serviceAccount(id[strings.LastIndexByte(id, '/')+1:]); ok {
			return account.text, true
		}
	}
	return id, true
}
