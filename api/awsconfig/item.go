package awsconfig

// itemHandlers answer about configuration items.
func (d *Door) itemHandlers() []handler {
	return []handler{
		on("GetResourceConfigHistory", d.getResourceConfigHistory),
		on("BatchGetResourceConfig", d.batchGetResourceConfig),
		on("ListDiscoveredResources", d.listDiscoveredResources),
		on("GetDiscoveredResourceCounts", d.getDiscoveredResourceCounts),
		on("PutResourceConfig", d.putResourceConfig),
		on("DeleteResourceConfig", d.deleteResourceConfig),
	}
}
