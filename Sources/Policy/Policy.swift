// The module Policy.
