package graph

import "testing"

func TestLoad(t *testing.T) { t.Log(TablesVersion()) }
