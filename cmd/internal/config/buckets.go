package config

import "net/url"

// Buckets say where the buckets of AWS Config's delivery channels are.
type Buckets struct {
	Folder   string `yaml:"folder" path:""`
	Endpoint string `yaml:"endpoint"`
	Region   string `yaml:"region"`
	KeyFile  string `yaml:"key_file" path:""`
}

// S3 tells whether they are at an endpoint that speaks S3's protocol.
func (b Buckets) S3() bool { return b.Endpoint != "" || b.Region != "" || b.KeyFile != "" }

func (b Buckets) check() error {
	switch {
	case !b.S3():
		return nil
	case b.Folder != "":
		return errorf("buckets.folder", "stands beside buckets.endpoint, buckets.region or buckets.key_file; buckets are in one place")
	case b.Region == "":
		return errorf("buckets.region", "is missing: that with which requests to S3 are signed, such as eu-west-1")
	case b.KeyFile == "":
		return errorf("buckets.key_file", "is missing: a file of one line, ID SECRET, the access key with which requests to S3 are signed")
	case b.Endpoint == "":
		return nil
	}
	u, err := url.Parse(b.Endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errorf("buckets.endpoint", "%q is not a URL such as https://storage.example", b.Endpoint)
	}
	return nil
}
