// The module Processor.
