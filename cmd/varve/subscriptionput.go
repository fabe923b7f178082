package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/cmd/internal/config"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	formats "github.com/varvehq/varve/recorder/delivery/format"
)

func newSubscriptionPut(a *app) *cobra.Command {
	var p putting
	cmd := &cobra.Command{
		Use:   "put NAME --target URL",
		Short: "Make a subscription, or say anew what one sends",
		Long: `Make the subscription NAME, or replace all that it says; what it still has to send is
then sent the new way. A name is made of a-z, 0-9 and '-'.

URL is where changes are sent:
  https://HOST/PATH, http://…   posted there; loopback and private addresses may be
                                meant, link-local and metadata addresses may not
  file:///PATH, file:-          appended to a file, or to standard output, of the
                                daemon; what is told was written is on the disk
                                (one that others can reach writes below the folder
                                delivery.files of its configuration only)

--filter chooses changes; "varve help filters" tells how, and --format how they are
written:
  cloudevents         CloudEvents 1.0, one JSON object (default over HTTP)
  cloudevents-batch   up to 100 of them in a JSON array
  aws-config          the notification that AWS Config sends
  slack               text for incoming webhooks of Slack and the like
  ndjson              one JSON object a line (default in files)

A secret signs what is posted, as Standard Webhooks has it. It is "whsec_" and the
base64 of 24 to 64 random bytes; the file holds nothing else. A put with another one
rotates it: both sign for a day. A put without --secret-file leaves it as it is.

A new subscription begins with what is recorded from now on, unless --from says a
moment of recording or a position of the feed. For one that is there --from begins
anew; without it, it goes on where it is.`,
		Example: `  varve subscription put ops --target https://ops.example/hooks/varve --secret-file ops.secret
  varve subscription put audit --target file:///var/log/varve/changes.ndjson --gzip --from 2026-01-01
  varve subscription put sg --target https://chat.example/hooks/T1 --format slack \
    --filter 'type == "AWS::EC2::SecurityGroup" && changed("/configuration/ipPermissions")'`,
		Args: oneSubscription,
	}
	p.bind(cmd)
	cmd.ValidArgsFunction = completeSubscription(a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request, err := p.request(cmd, subscriptionName(args))
		if err != nil {
			return err
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		s, err := conn.PutSubscription(cmd.Context(), request)
		if err != nil {
			return err
		}
		return a.showSubscription(s)
	}
	return cmd
}

// putting is what the flags of a put say.
type putting struct {
	target, filter, format string
	secretFile, from       string
	unsigned, gzip         bool
	batch, keep            int32
	timeout, retryFor      time.Duration
	size                   byteSize
}

func (p *putting) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&p.target, "target", "", "`URL` that changes are sent to")
	flags.StringVar(&p.filter, "filter", "", "send only changes for which `CEL` holds (default: all)")
	flags.StringVar(&p.format, "format", "", "`FORMAT` to send them in (default: cloudevents; ndjson in files)")
	flags.StringVar(&p.secretFile, "secret-file", "", "sign with the secret in `FILE`; - reads standard input")
	flags.BoolVar(&p.unsigned, "unsigned", false, "sign no more")
	flags.StringVar(&p.from, "from", "", "begin with what was recorded at `TIME|POSITION` (default: now)")
	flags.BoolVar(&p.gzip, "gzip", false, "compress what is posted, and files that are closed")
	flags.Int32Var(&p.batch, "batch", 0, "at most `N` changes in one message (default: what the format takes)")
	flags.DurationVar(&p.timeout, "timeout", 0, "`TIME` that one delivery may take (default: 15s)")
	flags.DurationVar(&p.retryFor, "retry-for", 0, "try a change for so much `TIME` before it is a dead letter (default: 24h)")
	flags.Var(&p.size, "rotate-size", "begin another file before one is larger than that (default: 100MiB)")
	flags.Int32Var(&p.keep, "rotate-keep", 0, "keep `N` files that are closed (default: 10)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats.Names(), cobra.ShellCompDirectiveNoFileComp))
}

func (p *putting) request(cmd *cobra.Command, name string) (*varvev1.PutSubscriptionRequest, error) {
	s := &varvev1.Subscription{
		Name: name, Target: p.target, Filter: p.filter, Format: p.format, Gzip: p.gzip, Batch: p.batch,
		Timeout: given(p.timeout), RetryFor: given(p.retryFor),
	}
	if p.size != 0 || p.keep != 0 {
		s.Rotation = &varvev1.Subscription_Rotation{Bytes: int64(p.size), Keep: p.keep}
	}
	request := &varvev1.PutSubscriptionRequest{Subscription: s}
	switch {
	case p.target == "":
		return nil, usagef(cmd, "--target is needed: the URL that changes are sent to, such as https://ops.example/hook or file:///var/log/varve.ndjson")
	case p.unsigned && p.secretFile != "":
		return nil, usagef(cmd, "--unsigned does not go with --secret-file; give one of both")
	case p.unsigned:
		request.Secret = new(string)
	case p.secretFile != "":
		secret, err := readSecret(p.secretFile)
		if err != nil {
			return nil, usagef(cmd, "--secret-file %w", err)
		}
		request.Secret = &secret
	}
	if p.from != "" {
		m, err := when.Parse(p.from, time.Now())
		if err != nil {
			request.Position = p.from
			return request, nil
		}
		request.Since = m.Timestamp()
	}
	return request, nil
}

// byteSize is a size with or without its unit, 64MiB; it is a pflag.Value.
type byteSize config.Size

func (s *byteSize) Set(text string) error { return (*config.Size)(s).UnmarshalText([]byte(text)) }
func (s *byteSize) Type() string          { return "SIZE" }

func (s *byteSize) String() string {
	if *s == 0 {
		return ""
	}
	return config.Size(*s).String()
}

func given(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// maxSecretFile is more than any secret takes.
const maxSecretFile = 4 << 10

// readSecret reads a file that holds a secret, and perhaps the end of its line.
func readSecret(name string) (string, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			var path *os.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return "", fmt.Errorf("%s: %w", name, err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", name, err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	switch {
	case len(text) > maxSecretFile:
		return "", fmt.Errorf("%s holds more than a secret", name)
	case secret == "":
		return "", fmt.Errorf("%s holds no secret; --unsigned takes one away", name)
	}
	return secret, nil
}
