package daemon

import (
	"context"
	"time"
)

// drainTime is how long those who are being answered may take, so that a daemon
// has stopped within 10 seconds whatever its clients do.
const drainTime = 8 * time.Second

// Stop lets what is under way end, sends waiting questions home, and closes the
// store. What is not done when ctx is, or after 8 seconds, is cut off; what was
// acknowledged is durable in every case.
// A daemon that did not start has nothing to stop.
func (d *Daemon) Stop(ctx context.Context) error {
	if !d.started {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	d.stop()
	d.server.Drain()
	delivered := d.stopDelivery(ctx)
	if err := d.http.Shutdown(ctx); err != nil {
		d.o.Logger.Warn("requests were cut off", "door", "HTTP", "err", err)
		_ = d.http.Close() // its connections are going away one way or another
	}
	if !d.server.Stop(ctx) {
		d.o.Logger.Warn("calls were cut off", "door", "gRPC")
	}
	_ = d.conn.Close()
	d.work.Wait()
	d.stopRules()
	delivered()
	err := d.store.Close()
	d.o.Logger.Info("stopped")
	return err
}

// abandon takes back what Start has done so far.
func (d *Daemon) abandon() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if d.http != nil {
		_ = d.http.Close()
	}
	if d.server != nil {
		d.server.Stop(now)
	}
	if d.conn != nil {
		_ = d.conn.Close()
	}
	if d.grpcListener != nil {
		_ = d.grpcListener.Close()
	}
	if d.httpListener != nil {
		_ = d.httpListener.Close()
	}
	d.work.Wait()
	d.stopRules()
	d.stopDelivery(now)()
	if d.store != nil {
		_ = d.store.Close()
	}
}
