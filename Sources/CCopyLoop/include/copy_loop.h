#ifndef TIDINGS_COPY_LOOP_H
#define TIDINGS_COPY_LOOP_H

#include <stddef.h>
#include <stdint.h>

/// A property of a client.
typedef struct {
  const char *name;
  const char *value;
} copy_loop_property;

/// What is copied, and how. Everything has to be valid during the call.
typedef struct {
  const copy_loop_property *consumer;
  size_t consumer_count;
  const copy_loop_property *producer;
  size_t producer_count;
  /// The topic that is read from its beginning, and the one that is written, of as many partitions.
  const char *source;
  const char *target;
  int32_t partition_count;
  /// Records to copy.
  int64_t records;
  /// A commit begins at so many bytes or records, or so long after the first record of the batch.
  size_t commit_bytes;
  size_t commit_records;
  int commit_interval_ms;
  /// Records and bytes that may wait beside a commit under way.
  size_t backlog_records;
  size_t backlog_bytes;
  /// The messages that the client fetches ahead, its `queued.min.messages`.
  int64_t read_ahead;
  /// How long the brokers have for a request or a commit.
  int timeout_ms;
  /// Called once, when the group has assigned the partitions.
  void (*assigned)(void *context);
  /// Called once, when the last transaction is committed and the clients are still open.
  void (*ended)(void *context);
  void *context;
} copy_loop_options;

/// Copies records in transactions that also move the group, and takes in the next ones while a commit is under way: what a
/// program in C does at least that copies a topic exactly once.
///
/// On success 0; else -1, and `error` says what happened.
int copy_loop_run(const copy_loop_options *options, char *error, size_t error_size);

#endif
