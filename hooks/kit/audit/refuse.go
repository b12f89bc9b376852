package audit

import "github.com/pocketbase/pocketbase/tools/router"

// errAppendOnly is an ApiError, so that PocketBase's own API answers 403 with it.
var errAppendOnly = router.NewForbiddenError("What was done stays written: lines of the audit can't be changed or deleted.", nil)
