package bolt

import "math"

// documents checks each document, and that none has a revision that was not given.
func (c *check) documents() error {
	newest, err := documentRevision(c.tx)
	if err != nil {
		c.find(bucketMeta, metaDocuments, "its checksum does not match, or it is cut short: no document can be put")
		newest = math.MaxUint64 // not known
	}
	if c.tx.Bucket(bucketDocuments) == nil && newest == 0 {
		return nil // of a file made before there were any
	}
	return c.each(bucketDocuments, func(k, framed []byte) {
		c.sum.Documents++
		doc, err := openDocument(k, framed)
		switch {
		case err != nil:
			c.find(bucketDocuments, k, "document %.1200q: its checksum does not match, or it cannot be read", k)
		case doc.Collection == "" || doc.Name == "":
			c.find(bucketDocuments, k, "it is of no collection, or has no name")
		case doc.Revision == 0 || doc.Revision > newest:
			c.find(bucketDocuments, k, "document %q of %q has revision %d, which was not given", doc.Name, doc.Collection, doc.Revision)
		}
	})
}
