package graph_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// document is an instance as AWS describes it, of about four kilobytes.
func document(t testing.TB) (history.Key, history.State) {
	b := []byte(`{"AmiLaunchIndex":0,"Architecture":"x86_64","BlockDeviceMappings":[`)
	for i := range 4 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"DeviceName":"/dev/sd`...)
		b = append(b, byte('a'+i))
		b = append(b, `","Ebs":{"AttachTime":"2024-03-02T07:11:09Z","DeleteOnTermination":true,"Status":"attached","VolumeId":"vol-0a1b2c3d4e5f6071`...)
		b = append(b, byte('0'+i))
		b = append(b, `"}}`...)
	}
	b = append(b, `],"CapacityReservationSpecification":{"CapacityReservationPreference":"open"},"ClientToken":"9f1c2d3e-0000-4000-8000-5a5b5c5d5e5f","CpuOptions":{"CoreCount":2,"ThreadsPerCore":2},"EbsOptimized":true,"EnaSupport":true,"HibernationOptions":{"Configured":false},"Hypervisor":"xen","IamInstanceProfile":{"Arn":"arn:aws:iam::111122223333:instance-profile/web","Id":"AIPAAAAAAAAAAAAAAAAAA"},"ImageId":"ami-0123456789abcdef0","InstanceId":"i-0123456789abcdef0","InstanceType":"m5.xlarge","KeyName":"ops","LaunchTime":"2024-03-02T07:11:08Z","MetadataOptions":{"HttpEndpoint":"enabled","HttpPutResponseHopLimit":1,"HttpTokens":"required","State":"applied"},"Monitoring":{"State":"disabled"},"NetworkInterfaces":[`...)
	for i := range 3 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Attachment":{"AttachTime":"2024-03-02T07:11:08Z","AttachmentId":"eni-attach-0aaaaaaaaaaaaaaa1","DeleteOnTermination":true,"DeviceIndex":0,"Status":"attached"},"Description":"primary interface of the web server","Groups":[{"GroupId":"sg-0123456789abcdef0","GroupName":"web"},{"GroupId":"sg-0123456789abcdef1","GroupName":"ops"}],"InterfaceType":"interface","Ipv6Addresses":[],"MacAddress":"0a:00:27:00:00:01","NetworkInterfaceId":"eni-0123456789abcdef`...)
		b = append(b, byte('0'+i))
		b = append(b, `","OwnerId":"111122223333","PrivateDnsName":"ip-10-0-1-10.eu-west-1.compute.internal","PrivateIpAddress":"10.0.1.10","PrivateIpAddresses":[{"Primary":true,"PrivateDnsName":"ip-10-0-1-10.eu-west-1.compute.internal","PrivateIpAddress":"10.0.1.10"}],"SourceDestCheck":true,"Status":"in-use","SubnetId":"subnet-0123456789abcdef0","VpcId":"vpc-0123456789abcdef0"}`...)
	}
	b = append(b, `],"Placement":{"AvailabilityZone":"eu-west-1a","GroupName":"","Tenancy":"default"},"PrivateDnsName":"ip-10-0-1-10.eu-west-1.compute.internal","PrivateIpAddress":"10.0.1.10","ProductCodes":[],"PublicDnsName":"","RootDeviceName":"/dev/sda","RootDeviceType":"ebs","SecurityGroups":[{"GroupId":"sg-0123456789abcdef0","GroupName":"web"},{"GroupId":"sg-0123456789abcdef1","GroupName":"ops"}],"SourceDestCheck":true,"State":{"Code":16,"Name":"running"},"StateTransitionReason":"","SubnetId":"subnet-0123456789abcdef0","Tags":[{"Key":"Name","Value":"web-1"},{"Key":"team","Value":"shop"},{"Key":"env","Value":"prod"}],"VirtualizationType":"hvm","VpcId":"vpc-0123456789abcdef0"}`...)
	k := history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::Instance", ID: "i-0123456789abcdef0"}
	return k, history.State{Name: "web-1", Configuration: canonical(t, b)}
}

// tokens goes through a document as a plain tokenizer does.
func tokens(t testing.TB, d *jsontext.Decoder, doc []byte) {
	d.Reset(bytes.NewReader(doc))
	for {
		if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkExtract(b *testing.B) {
	k, s := document(b)
	b.Run("Instance", func(b *testing.B) { benchmarkExtract(b, []live{{k, s}}) })
	b.Run("InstanceLinks", func(b *testing.B) {
		b.SetBytes(int64(len(s.Configuration)))
		b.ReportAllocs()
		for b.Loop() {
			graph.Links(k, &s)
		}
	})
	b.Run("InstanceTokens", func(b *testing.B) { benchmarkTokens(b, []live{{k, s}}) })
	for _, set := range []string{"aws-recorded", "k8s-home-ops-a", "tf-cloud-platform", "cfn-templates", "gcp-audit", "k8s-cloud-platform"} {
		b.Run(set, func(b *testing.B) {
			all := lastStates(b, set)
			b.Run("Extract", func(b *testing.B) { benchmarkExtract(b, all) })
			b.Run("Tokens", func(b *testing.B) { benchmarkTokens(b, all) })
		})
	}
}

func size(all []live) (n int64) {
	for i := range all {
		n += int64(len(all[i].state.Configuration))
	}
	return n
}

func benchmarkExtract(b *testing.B, all []live) {
	b.SetBytes(size(all) / int64(len(all)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		graph.Extract(all[i].key, &all[i].state)
		if i++; i == len(all) {
			i = 0
		}
	}
}

func benchmarkTokens(b *testing.B, all []live) {
	b.SetBytes(size(all) / int64(len(all)))
	d := jsontext.NewDecoder(bytes.NewReader(nil))
	i := 0
	for b.Loop() {
		tokens(b, d, all[i].state.Configuration)
		if i++; i == len(all) {
			i = 0
		}
	}
}
