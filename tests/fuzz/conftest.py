"""What hypothesis draws depends on the constants in whatever is imported by then: all of it is, so
that the short forms run the same examples in any order, and on any worker."""

from forking import import_all

import_all()
