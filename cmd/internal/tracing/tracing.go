// Package tracing sends spans to a receiver of OpenTelemetry's protocol.
package tracing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/credentials"
)

// Options of a provider of tracers. Endpoint is needed.
type Options struct {
	Endpoint string  // grpc, grpcs, http or https://HOST:PORT
	CAFile   string  // authorities of the receiver, in PEM; default the system's
	Sample   float64 // share of traces that no caller has decided about
	Version  string  // of this program
	Logger   *slog.Logger
}

// New returns a provider that sends its spans in the background. The receiver
// need not be there: spans that cannot be sent are logged and dropped. Shutdown
// sends what is left.
func New(ctx context.Context, o Options) (*trace.TracerProvider, error) {
	exporter, err := newExporter(ctx, o)
	if err != nil {
		return nil, err
	}
	// The library has one handler for the whole process.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { o.Logger.Warn("traces are not sent", "err", err) }))
	return trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithSampler(trace.ParentBased(trace.TraceIDRatioBased(o.Sample))),
		trace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "varve"),
			attribute.String("service.version", o.Version))),
	), nil
}

func newExporter(ctx context.Context, o Options) (*otlptrace.Exporter, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, err
	}
	config, err := tlsConfig(o.CAFile)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "grpc":
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(u.Host), otlptracegrpc.WithInsecure())
	case "grpcs":
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(u.Host), otlptracegrpc.WithTLSCredentials(credentials.NewTLS(config)))
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(u.String())}
	if u.Scheme == "https" {
		options = append(options, otlptracehttp.WithTLSClientConfig(config))
	}
	return otlptracehttp.New(ctx, options...)
}

func tlsConfig(caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", caFile)
	}
	return config, nil
}
