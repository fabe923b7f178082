// Not part of the product, and not built by its tests: it needs the module
// "peers", which brings the other stores. See main.go.
module github.com/varvehq/varve/.ci/peers

go 1.26.8
