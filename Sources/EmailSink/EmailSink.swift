// The module EmailSink.
