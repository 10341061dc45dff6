// The module Inbox.
