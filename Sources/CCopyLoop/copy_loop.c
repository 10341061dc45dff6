#include "copy_loop.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/// Offsets are sent and committed on a thread of its own: called again after a time-out, librdkafka's may take one answer for another.
typedef struct {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  enum { COMMIT_IDLE, COMMIT_ASKED, COMMIT_DONE, COMMIT_END } state;
  /// What is sent first; the thread's while it is asked.
  rd_kafka_topic_partition_list_t *offsets;
  rd_kafka_consumer_group_metadata_t *group;
  rd_kafka_error_t *failure;
} commit_thread;

typedef struct {
  const copy_loop_options *options;
  rd_kafka_t *consumer;
  rd_kafka_t *producer;
  rd_kafka_topic_t *target;
  commit_thread commit;
  int64_t *positions;
  bool *ended;
  int32_t ended_count;
  /// Messages that came while a commit was under way.
  rd_kafka_message_t **backlog;
  size_t backlog_count;
  size_t batch_bytes;
  size_t batch_records;
  int64_t batch_start;
  int64_t copied;
  /// What is fetched: the queue in which it waits, its partitions, and the messages to take before it is looked at.
  rd_kafka_queue_t *queue;
  rd_kafka_topic_partition_list_t *partitions;
  int64_t before_glance;
  bool is_assigned;
  bool is_open;
  bool is_committing;
  bool has_failed;
  char *error;
  size_t error_size;
} loop;

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool fail(loop *self, const char *doing, const char *why) {
  if (!self->has_failed) snprintf(self->error, self->error_size, "%s: %s", doing, why);
  self->has_failed = true;
  return false;
}

/// Takes the error over.
static bool check(loop *self, rd_kafka_error_t *error, const char *doing) {
  if (error == NULL) return true;
  fail(self, doing, rd_kafka_error_string(error));
  rd_kafka_error_destroy(error);
  return false;
}

// The commit's thread

static void *commit_main(void *argument) {
  loop *self = argument;
  commit_thread *commit = &self->commit;
  pthread_mutex_lock(&commit->mutex);
  while (commit->state != COMMIT_END) {
    if (commit->state != COMMIT_ASKED) {
      pthread_cond_wait(&commit->changed, &commit->mutex);
      continue;
    }
    pthread_mutex_unlock(&commit->mutex);
    rd_kafka_error_t *failure = rd_kafka_send_offsets_to_transaction(
      self->producer, commit->offsets, commit->group, self->options->timeout_ms);
    rd_kafka_consumer_group_metadata_destroy(commit->group);
    rd_kafka_topic_partition_list_destroy(commit->offsets);
    if (failure == NULL) failure = rd_kafka_commit_transaction(self->producer, self->options->timeout_ms);
    pthread_mutex_lock(&commit->mutex);
    commit->failure = failure;
    if (commit->state == COMMIT_ASKED) commit->state = COMMIT_DONE;
    pthread_cond_broadcast(&commit->changed);
  }
  pthread_mutex_unlock(&commit->mutex);
  return NULL;
}

static void set_commit_state(commit_thread *commit, int state) {
  pthread_mutex_lock(&commit->mutex);
  commit->state = state;
  pthread_cond_broadcast(&commit->changed);
  pthread_mutex_unlock(&commit->mutex);
}

/// Waits at most so long; whether the commit has ended.
static bool commit_has_ended(commit_thread *commit, int timeout_ms) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_nsec += (long)timeout_ms * 1000000;
  deadline.tv_sec += deadline.tv_nsec / 1000000000;
  deadline.tv_nsec %= 1000000000;
  pthread_mutex_lock(&commit->mutex);
  int code = 0;
  while (commit->state == COMMIT_ASKED && code == 0 && timeout_ms > 0)
    code = pthread_cond_timedwait(&commit->changed, &commit->mutex, &deadline);
  bool has_ended = commit->state == COMMIT_DONE;
  if (has_ended) commit->state = COMMIT_IDLE;
  pthread_mutex_unlock(&commit->mutex);
  return has_ended;
}

// Records

static bool produce(loop *self, const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers = NULL;
  rd_kafka_message_detach_headers((rd_kafka_message_t *)message, &headers);
  for (;;) {
    rd_kafka_vu_t arguments[] = {
      {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = self->target},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = message->partition},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {message->key, message->key_len}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {message->payload, message->len}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(self->producer, arguments, headers == NULL ? 5 : 6);
    if (error == NULL) return true;
    if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      if (headers != NULL) rd_kafka_headers_destroy(headers);
      return check(self, error, "producing");
    }
    rd_kafka_error_destroy(error);
    rd_kafka_poll(self->producer, 0);
    sched_yield();
  }
}

static bool open_transaction(loop *self) {
  if (self->is_open) return true;
  self->is_open = check(self, rd_kafka_begin_transaction(self->producer), "beginning a transaction");
  return self->is_open;
}

/// Key, value and headers, as the processor's client counts a record.
static size_t bytes_of(const rd_kafka_message_t *message) {
  size_t bytes = message->key_len + message->len;
  rd_kafka_headers_t *headers = NULL;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return bytes;
  const char *name;
  const void *value;
  size_t size;
  for (size_t index = 0;
       rd_kafka_header_get_all(headers, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; index++)
    bytes += strlen(name) + size;
  return bytes;
}

/// Takes the message over.
static bool take(loop *self, rd_kafka_message_t *message) {
  self->positions[message->partition] = message->offset + 1;
  if (self->batch_records == 0) self->batch_start = now_ms();
  self->batch_records++;
  self->batch_bytes += bytes_of(message);
  self->copied++;
  if (self->is_committing) {
    self->backlog[self->backlog_count++] = message;
    return true;
  }
  bool is_done = open_transaction(self) && produce(self, message);
  rd_kafka_message_destroy(message);
  return is_done;
}

static bool backlog_is_full(const loop *self) {
  return self->batch_bytes >= self->options->backlog_bytes ||
         self->backlog_count == self->options->backlog_records;
}

/// The client looks only once a second whether it may fetch more, unless a request wakes it: one whose answer nobody waits for,
/// when half of what may wait was taken, and no more than half is left.
static void remind(loop *self) {
  if (--self->before_glance > 0) return;
  int64_t half = self->options->read_ahead / 2;
  int64_t left = (int64_t)rd_kafka_queue_length(self->queue);
  self->before_glance = left > half ? left - half : half;
  if (left <= half) rd_kafka_offsets_for_times(self->consumer, self->partitions, 0);
}

static bool consume(loop *self, int timeout_ms) {
  for (int count = 0; count < 1024; count++) {
    rd_kafka_message_t *message = rd_kafka_consumer_poll(self->consumer, count == 0 ? timeout_ms : 0);
    if (self->has_failed) {
      if (message != NULL) rd_kafka_message_destroy(message);
      return false;
    }
    if (message == NULL) return true;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      remind(self);
      if (!take(self, message)) return false;
      if (self->is_committing ? backlog_is_full(self) : self->batch_bytes >= self->options->commit_bytes)
        return true;
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      self->positions[message->partition] = message->offset;
      if (!self->ended[message->partition]) self->ended_count++;
      self->ended[message->partition] = true;
      bool is_short =
        self->ended_count == self->options->partition_count && self->copied < self->options->records;
      if (is_short) fail(self, self->options->source, "holds fewer records than are to be copied");
    } else if (
      message->err == RD_KAFKA_RESP_ERR__FATAL || message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
      fail(self, "consuming", rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
    if (self->has_failed) return false;
  }
  return true;
}

// Transactions

static bool drive_commit(loop *self, int timeout_ms) {
  if (!self->is_committing || !commit_has_ended(&self->commit, timeout_ms)) return true;
  if (!check(self, self->commit.failure, "committing")) return false;
  self->is_committing = false;
  if (self->backlog_count == 0) return true;
  if (!open_transaction(self)) return false;
  bool is_done = true;
  for (size_t index = 0; index < self->backlog_count; index++) {
    is_done = is_done && produce(self, self->backlog[index]);
    rd_kafka_message_destroy(self->backlog[index]);
  }
  self->backlog_count = 0;
  return is_done;
}

static bool begin_commit(loop *self) {
  int32_t count = self->options->partition_count;
  rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(count);
  for (int32_t partition = 0; partition < count; partition++) {
    if (self->positions[partition] < 0) continue;
    rd_kafka_topic_partition_list_add(offsets, self->options->source, partition)->offset =
      self->positions[partition];
  }
  self->commit.offsets = offsets;
  self->commit.group = rd_kafka_consumer_group_metadata(self->consumer);
  self->batch_bytes = 0;
  self->batch_records = 0;
  self->is_open = false;
  self->is_committing = true;
  set_commit_state(&self->commit, COMMIT_ASKED);
  return true;
}

static bool commit_is_due(const loop *self) {
  return self->batch_bytes >= self->options->commit_bytes ||
         self->batch_records >= self->options->commit_records ||
         (self->batch_records > 0 && (now_ms() - self->batch_start >= self->options->commit_interval_ms ||
                                      self->copied == self->options->records));
}

static bool turn(loop *self) {
  if (!drive_commit(self, 0)) return false;
  if (self->is_committing && backlog_is_full(self)) return drive_commit(self, 1);
  if (!consume(self, self->is_committing ? 1 : 10)) return false;
  return !self->is_open || self->is_committing || !commit_is_due(self) || begin_commit(self);
}

// The clients

static void rebalance(
  rd_kafka_t *consumer, rd_kafka_resp_err_t kind, rd_kafka_topic_partition_list_t *partitions, void *opaque) {
  loop *self = opaque;
  if (kind != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    if (self->copied < self->options->records) fail(self, "copying", "the group took the partitions away");
    rd_kafka_assign(consumer, NULL);
    return;
  }
  for (int index = 0; index < partitions->cnt; index++) partitions->elems[index].offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, partitions);
  if (partitions->cnt == 0 || self->is_assigned) return;
  self->is_assigned = true;
  self->options->assigned(self->options->context);
}

static rd_kafka_t *make_client(
  loop *self, rd_kafka_type_t type, const copy_loop_property *properties, size_t count) {
  rd_kafka_conf_t *configuration = rd_kafka_conf_new();
  char text[512] = "";
  for (size_t index = 0; index < count; index++) {
    if (rd_kafka_conf_set(configuration, properties[index].name, properties[index].value, text, sizeof text) ==
        RD_KAFKA_CONF_OK)
      continue;
    fail(self, properties[index].name, text);
    rd_kafka_conf_destroy(configuration);
    return NULL;
  }
  rd_kafka_conf_set_opaque(configuration, self);
  if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set_rebalance_cb(configuration, rebalance);
  rd_kafka_t *client = rd_kafka_new(type, configuration, text, sizeof text);
  if (client == NULL) {
    fail(self, "making a client", text);
    rd_kafka_conf_destroy(configuration);
  }
  return client;
}

static bool start(loop *self) {
  const copy_loop_options *options = self->options;
  self->consumer = make_client(self, RD_KAFKA_CONSUMER, options->consumer, options->consumer_count);
  if (self->consumer == NULL) return false;
  rd_kafka_poll_set_consumer(self->consumer);
  self->queue = rd_kafka_queue_get_consumer(self->consumer);
  self->partitions = rd_kafka_topic_partition_list_new(options->partition_count);
  for (int32_t partition = 0; partition < options->partition_count; partition++)
    rd_kafka_topic_partition_list_add(self->partitions, options->source, partition)->offset = RD_KAFKA_OFFSET_END;
  self->producer = make_client(self, RD_KAFKA_PRODUCER, options->producer, options->producer_count);
  if (self->producer == NULL) return false;
  self->target = rd_kafka_topic_new(self->producer, options->target, NULL);
  if (self->target == NULL) return fail(self, options->target, "no topic object");
  rd_kafka_error_t *error = rd_kafka_init_transactions(self->producer, options->timeout_ms);
  if (!check(self, error, "registering the producer")) return false;
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, options->source, RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t code = rd_kafka_subscribe(self->consumer, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  return code == RD_KAFKA_RESP_ERR_NO_ERROR || fail(self, "subscribing", rd_kafka_err2str(code));
}

static void stop(loop *self) {
  for (size_t index = 0; index < self->backlog_count; index++) rd_kafka_message_destroy(self->backlog[index]);
  if (self->partitions != NULL) rd_kafka_topic_partition_list_destroy(self->partitions);
  if (self->queue != NULL) rd_kafka_queue_destroy(self->queue);
  if (self->consumer != NULL) {
    rd_kafka_consumer_close(self->consumer);
    rd_kafka_destroy(self->consumer);
  }
  if (self->target != NULL) rd_kafka_topic_destroy(self->target);
  if (self->producer != NULL) rd_kafka_destroy(self->producer);
}

int copy_loop_run(const copy_loop_options *options, char *error, size_t error_size) {
  loop self = {.options = options, .error = error, .error_size = error_size};
  size_t count = (size_t)options->partition_count;
  self.positions = malloc(count * sizeof *self.positions);
  self.ended = calloc(count, sizeof *self.ended);
  self.backlog = malloc(options->backlog_records * sizeof *self.backlog);
  if (self.positions == NULL || self.ended == NULL || self.backlog == NULL) {
    fail(&self, "starting", "no memory");
  } else {
    for (size_t index = 0; index < count; index++) self.positions[index] = -1;
    pthread_mutex_init(&self.commit.mutex, NULL);
    pthread_cond_init(&self.commit.changed, NULL);
    if (pthread_create(&self.commit.thread, NULL, commit_main, &self) != 0) {
      fail(&self, "starting", "no thread");
    } else {
      if (start(&self))
        while (self.copied < options->records || self.is_open || self.is_committing)
          if (!turn(&self)) break;
      if (!self.has_failed) options->ended(options->context);
      // Where it failed a commit may be under way, which is waited for.
      set_commit_state(&self.commit, COMMIT_END);
      pthread_join(self.commit.thread, NULL);
      stop(&self);
    }
    pthread_cond_destroy(&self.commit.changed);
    pthread_mutex_destroy(&self.commit.mutex);
  }
  free(self.positions);
  free(self.ended);
  free(self.backlog);
  return self.has_failed ? -1 : 0;
}
