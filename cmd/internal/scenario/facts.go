package scenario

// Where things are.
const (
	Account      = "111122223333" // production
	LogAccount   = "444455556666" // keeps the trail's logs, and nothing else
	Region       = "eu-west-1"
	BackupRegion = "eu-central-1"
	GlobalRegion = "global"    // the region of everything in IAM
	Cluster      = "shop-prod" // the account of everything in Kubernetes
)

// What the weekend is about.
const (
	SecurityGroup     = "sg-07c41d9be52a8f360" // opened to the world
	SecurityGroupName = "bastion-admin"

	Instance     = "i-0e8a53f1c62d7b094" // launched into the open group, gone by Wednesday
	InstanceName = "outage-debug"
	OldBastion   = "i-02b96e4d8f1a7c35d" // used the group then, replaced in August
	NewBastion   = "i-0c5d18a7e94f3b261" // uses the group at the end

	Bucket   = "example-shop-order-exports" // public from Friday to Sunday
	RoleName = "orders-api-instance"        // could do anything from Friday to Monday
	RoleID   = "AROA4XQ7M2KPZL5RNDTVB"      // its id as AWS Config gives it
	UserName = "vendor-exports-tmp"         // existed from Friday to Sunday
	UserID   = "AIDA6ZC3HTN7WEQ5JYKUR"

	Database     = "db-K5W2JQ7ZRM3XHN4TBVAYPLECDU" // reachable from the open group
	DatabaseName = "orders-db"

	Checkout       = "payments/checkout"        // the deployment that went down
	CheckoutConfig = "payments/checkout-config" // the config map that brought it down

	// Actor is the user whose key did all of it, SourceIP where from;
	// StrangeIP is the address in the late lines, seen nowhere else.
	Actor     = "arn:aws:iam::111122223333:user/oncall-platform"
	SourceIP  = "198.51.100.23"
	StrangeIP = "203.0.113.77"
)

// When it happened.
const (
	Start = "2026-06-02T00:00:00Z" // the first inventory
	End   = "2026-08-30T23:59:59Z"

	OutageBegan    = "2026-07-17T18:12:09Z" // the config map is released
	Opened         = "2026-07-17T19:26:41Z" // Friday evening: the group is open
	Launched       = "2026-07-17T19:34:08Z" // the instance appears
	DatabaseOpened = "2026-07-17T19:41:52Z" // the database lets the group in
	OutageEnded    = "2026-07-17T20:12:27Z" // the config map is put right
	Exposed        = "2026-07-17T21:07:12Z" // the bucket is public
	UserCreated    = "2026-07-17T21:16:40Z"
	Widened        = "2026-07-17T21:31:55Z" // the role may do anything

	// Night lies between the two late lines: it is they who know that port
	// 3389 was open as well.
	LateOpened = "2026-07-18T02:14:05Z"
	Night      = "2026-07-18T02:30:00Z"
	LateClosed = "2026-07-18T02:47:30Z"

	Saturday = "2026-07-18T12:00:00Z" // everything at its worst

	Covered        = "2026-07-19T10:22:48Z" // Sunday: the bucket is private again
	UserDeleted    = "2026-07-19T10:31:05Z"
	Closed         = "2026-07-20T07:41:19Z" // Monday morning: the group is closed
	DatabaseClosed = "2026-07-20T07:44:03Z"
	Narrowed       = "2026-07-20T07:52:26Z" // the role is as it was
	Stopped        = "2026-07-20T07:58:10Z" // the instance is stopped
	Terminated     = "2026-07-22T13:05:31Z" // and gone
)
