// Package repotest holds the rules that the repository keeps about itself, as
// tests: what stands at its top, which package may import which, that code
// generated from the .proto files is there and marked, what README promises.
//
// One rule is about tests themselves. A test that needs something the machine
// may lack (a database, a broker) skips with one line that says what is
// missing, and where CI is set it fails instead, so that a run in CI never
// passes because half of it stayed at home:
//
//	if dsn == "" {
//		if os.Getenv("CI") != "" {
//			t.Fatal("VARVE_POSTGRES_DSN is not set")
//		}
//		t.Skip("VARVE_POSTGRES_DSN is not set: the store suite did not run on Postgres")
//	}
package repotest
