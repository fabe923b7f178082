package daemon

import (
	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/cmd/internal/config"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// AWS says who may ask in AWS Config's protocol.
type AWS struct {
	// KeysFile, if set, names the access keys with which requests are signed;
	// without it no signature is believed.
	KeysFile string
	// Anyone lets everybody in, as somebody of Account. The HTTP address must be on
	// loopback then, and there must be no TokenFile.
	Anyone  bool
	Account string // default config.Default's
}

// noKeys is told to those whose key is unknown because all are.
const noKeys = "No access keys are configured here. Name a file of them to `varve serve` as --aws-keys-file (aws.keys_file), or for a trial on this machine start it with --aws-auth=none."

// awsDoor makes the door for AWS's tools; nil if the store keeps no documents, which
// settings are.
func (d *Daemon) awsDoor() *awsconfig.Door {
	documents, ok := history.Power[history.Documents](d.store)
	if !ok || d.settings == nil {
		return nil
	}
	o := awsconfig.Options{
		Store: d.store, Recorder: counted{d.recorder, d.metrics}, Settings: d.settings, Snapshots: d.snapshots,
		Authenticate: d.signed(),
		Now:          d.o.Now, Logger: d.o.Logger, Slow: d.o.Slow, Observe: d.metrics.AWS, NoRules: d.noRules,
	}
	if d.engine != nil {
		o.Rules = &awsconfig.Rules{
			Engine: d.engine, Shelf: d.shelf, Graph: around{}, Linker: graph.NewLinker(), Prepare: d.recorder.Prepare,
			Documents: documents,
		}
	}
	return awsconfig.New(o)
}

// signed finds out who asks in AWS Config's protocol.
func (d *Daemon) signed() awsconfig.Authenticate {
	if d.o.AWS.Anyone {
		return awsconfig.Anyone(d.o.AWS.Account)
	}
	v := &sigv4.Verifier{Service: awsconfig.Service, Now: d.o.Now}
	if d.keys != nil {
		v.Find = d.keys.Find
		return awsconfig.Signed(v)
	}
	v.Find = func(string) (sigv4.Key, bool) { return sigv4.Key{}, false }
	v.Unknown = noKeys
	return awsconfig.Signed(v)
}

// checkAWS refuses to let everybody in where others may come, or where callers have
// to show tokens otherwise.
func (d *Daemon) checkAWS() error {
	if !d.o.AWS.Anyone {
		return nil
	}
	// What the address says is checked in front; here is what came of it.
	loopback := d.httpListener == nil || isLoopback(d.httpListener.Addr())
	if err := config.Anyone(d.o.TokenFile != "", loopback); err != nil {
		return &history.Error{Kind: history.Invalid, Field: "--aws-auth", Text: err.Error()}
	}
	return nil
}

// tellAWS logs who may come in as AWS's tools do.
func (d *Daemon) tellAWS() {
	asks := "everybody for a signature; no access keys are configured, so nobody gets in"
	switch {
	case d.o.AWS.Anyone:
		asks = "nobody"
	case d.keys != nil:
		asks = "everybody for a signature"
	}
	d.o.Logger.Info("door open", "door", "AWS", "addr", d.HTTPAddr(), "asks", asks, "tls", d.pair != nil)
}
