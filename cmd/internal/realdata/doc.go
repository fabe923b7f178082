// Package realdata tests the way from file to answer on real configuration
// histories, where they lie beside the checkout.
package realdata
