/* Dorsalgia for other languages: could a tumour be causing this back pain?
 *
 * A C interface: one opaque handle, plain structs, error codes. People go in and results come out as JSON (one person) or
 * as Apache Arrow tables (millions), by the Arrow C Data and C Stream interfaces.
 *
 *   dorsalgia_model *model = NULL;
 *   dorsalgia_error error = {.size = sizeof error};
 *   if (dorsalgia_load(&model, &error) != DORSALGIA_OK) ...error.message...
 *   char *report = NULL;
 *   dorsalgia_assess(model, person, strlen(person), NULL, &report, &error);
 *   dorsalgia_free_text(report);
 *   dorsalgia_free(model);
 *
 * Rules of this interface
 * - Every call returns a code of dorsalgia_code; anything but DORSALGIA_OK is told in `error`, which may be NULL.
 * - Structs begin with their own size in bytes; set it. Later versions may add members at the end; what the caller's
 *   struct does not hold is taken as 0.
 * - No exception leaves the library, it prints nothing, ends nothing, and keeps no state outside its handles.
 * - A loaded model never changes: any number of threads may use it at once. A stream is for one thread at a time.
 * - A freed handle is refused with DORSALGIA_BAD_HANDLE (a few bytes of it are kept for that, for good). A pointer that never
 *   was a handle cannot be told from one.
 * - Streams keep what they need: a model may be freed while streams made from it are still read.
 *
 * It informs; it makes no diagnosis, and it never says that cancer is excluded.
 */
#ifndef DORSALGIA_H
#define DORSALGIA_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define DORSALGIA_API
#else
#define DORSALGIA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Apache Arrow, as its specification says to copy it (Arrow C Data Interface, Arrow C Stream Interface) */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/* ---- codes and errors */

typedef enum dorsalgia_code {
  DORSALGIA_OK = 0,
  DORSALGIA_BAD_INPUT = 1,  /* the person, table or option is at fault; the message says where and how to mend it */
  DORSALGIA_BAD_HANDLE = 2, /* a null or freed model, or a null pointer where something is to be written or read */
  DORSALGIA_NO_MEMORY = 3,
  DORSALGIA_SOURCE = 4,  /* the stream that people are read from reported an error of its own */
  DORSALGIA_INTERNAL = 5 /* a fault of the library; please report it */
} dorsalgia_code;

typedef struct dorsalgia_error {
  size_t size;        /* sizeof(dorsalgia_error) */
  int32_t code;       /* of dorsalgia_code */
  char message[4096]; /* UTF-8, ends with 0; one fault a line; cut when longer */
} dorsalgia_error;

/* ---- the model */

typedef struct dorsalgia_model dorsalgia_model;

/* The knowledge that is built into the library, compiled: some 100 ms once. *model is NULL unless DORSALGIA_OK is returned. */
DORSALGIA_API int dorsalgia_load(dorsalgia_model **model, dorsalgia_error *error);

/* NULL is allowed. Waits for nobody: calls that are running on other threads finish by themselves. */
DORSALGIA_API int dorsalgia_free(dorsalgia_model *model);

/* "0.1.0", and the model's hash as reports print it (32 hex digits; NULL for a bad handle). */
DORSALGIA_API const char *dorsalgia_version(void);
DORSALGIA_API const char *dorsalgia_model_hash(const dorsalgia_model *model);

/* ---- one person */

typedef struct dorsalgia_report_options {
  size_t size;         /* sizeof(dorsalgia_report_options) */
  const char *format;  /* "json" (NULL), "text" or "html" */
  const char *profile; /* whose guidelines: "uk" (NULL) or "us" */
  const char *voice;   /* "clinician" (NULL) or "person"; of text and HTML */
  int32_t width;       /* columns of text, 40 to 140; 0: 100 */
  int32_t quick;       /* 1, of JSON: at once and without what takes longer or is not needed at once: intervals are null; stages, reasons,
                        * next, changes, evidence_fit, open_rules and comparators empty; causes the twelve likeliest */
} dorsalgia_report_options;

/* person: JSON of `length` bytes as docs/input.md says. *report: text that ends with 0, to be given to dorsalgia_free_text; as JSON
 * it follows docs/report.schema.json (causes, urgency, "reasons", what to ask "next", ...). options: NULL for the defaults. */
DORSALGIA_API int dorsalgia_assess(const dorsalgia_model *model, const char *person, size_t length, const dorsalgia_report_options *options,
                                   char **report, dorsalgia_error *error);

/* Everything that could still be asked of this person, the most informative for its burden first: a JSON list of what the report
 * holds under "next", and all of it, each with its "place" in a person: findings, context or labs. For interviews; takes about as
 * long as a quick report. */
DORSALGIA_API int dorsalgia_questions(const dorsalgia_model *model, const char *person, size_t length, char **questions,
                                      dorsalgia_error *error);

/* The knowledge base as JSON, key by key as src/knowledge/knowledge.h: every number with its 95% interval, status and source. */
DORSALGIA_API int dorsalgia_knowledge(const dorsalgia_model *model, char **knowledge, dorsalgia_error *error);

/* How one cause unfolds in one person, left to itself: its stages, how long they last, what is active and what is found in each.
 * request: JSON {"cause": "met_breast", "age": 60, "sex": "female", "level": "T8"}, all but the cause may be left out.
 * *course: JSON {"stages": [...], "weeks": [...], "occupancy": [[P(stage) by stage] by week], ...}. Units: weeks, per week. */
DORSALGIA_API int dorsalgia_course(const dorsalgia_model *model, const char *request, size_t length, char **course, dorsalgia_error *error);

/* NULL is allowed. */
DORSALGIA_API void dorsalgia_free_text(char *text);

/* ---- tables: one row a person, docs/tables.md
 *
 * A table is an Arrow struct. Columns: id (text or integer, comes back), age (years), sex, setting, location, duration_weeks, and
 * any finding of the knowledge base by its id. Null is unknown, and unknown is never absent. Any column may be left out.
 */

typedef struct dorsalgia_table_options {
  size_t size;         /* sizeof(dorsalgia_table_options) */
  const char *outputs; /* groups with commas: probability, urgency, causes, mechanisms, levels, stages, forecast ("all": some
                          microseconds a row); and beside "all", because they take longer: intervals (some milliseconds a row), next (some
                          100 microseconds a row; docs/tables.md).
                          NULL: "probability,urgency,causes" */
  const char *profile; /* "uk" (NULL) or "us" */
  int32_t strict;      /* 1: the first row at fault and any unknown column end the call; 0: see column "error" */
  int32_t threads;     /* 0: one a core. The results are the same to the bit whatever their number. */
} dorsalgia_table_options;

/* The columns that a table may have, as an Arrow schema; the metadata of each field hold its "description". */
DORSALGIA_API int dorsalgia_schema(const dorsalgia_model *model, struct ArrowSchema *out, dorsalgia_error *error);

/* The columns of the results of such a table, likewise: id when the table has it, "error" (null: the row is sound), "withheld" (why
 * a sound row has no probabilities: a child, or answers that exclude each other), then the groups of options->outputs.
 * The schema's own metadata: "dorsalgia.model" (hash), "dorsalgia.version" and, unless there is none, "dorsalgia.unknown_columns":
 * columns that were not read because nothing has such a name, one a line. table: is only read. */
DORSALGIA_API int dorsalgia_result_schema(const dorsalgia_model *model, const struct ArrowSchema *table,
                                          const dorsalgia_table_options *options, struct ArrowSchema *out, dorsalgia_error *error);

/* Results of a stream of tables, as a stream: rows in the same order, worked out when they are pulled, some 65,536 at a time (1,024
 * with intervals or next, which would be long in coming), so that memory stays the same for any number of rows. `people` is moved:
 * this call owns it from now on, even when it fails. Faults of columns are told here, those of later batches by the stream's
 * get_last_error. */
DORSALGIA_API int dorsalgia_assess_stream(const dorsalgia_model *model, struct ArrowArrayStream *people,
                                          const dorsalgia_table_options *options, struct ArrowArrayStream *out, dorsalgia_error *error);

/* Results of one table. `people` is moved; `table`, its schema, is only read. Results have dorsalgia_result_schema. */
DORSALGIA_API int dorsalgia_assess_batch(const dorsalgia_model *model, const struct ArrowSchema *table, struct ArrowArray *people,
                                         const dorsalgia_table_options *options, struct ArrowArray *out, dorsalgia_error *error);

/* Reads a stream to its end now, and hands its batches out again: for callers that want errors as a code and a message, and no
 * lock of theirs held while the work is done. `from` is moved. Code DORSALGIA_SOURCE when it fails, with its message. */
DORSALGIA_API int dorsalgia_gather(struct ArrowArrayStream *from, struct ArrowArrayStream *out, dorsalgia_error *error);

/* ---- virtual people: docs/simulation.md */

typedef struct dorsalgia_simulate_options {
  size_t size;         /* sizeof(dorsalgia_simulate_options) */
  uint64_t people;     /* how many */
  uint64_t seed;       /* the same seed gives the same people, whatever their number */
  uint64_t first;      /* index of the first */
  const char *setting; /* only those seen there; NULL: all */
  const char *causes;  /* ids with commas: only people with one of these; NULL: all */
  const char *only;    /* "tumours" or "malignant"; NULL: all */
  int32_t recorded;    /* 1: only what a record would hold; 0: every answer */
  int32_t threads;     /* 0: one a core */
} dorsalgia_simulate_options;

/* A stream of tables as dorsalgia_assess_stream takes them, and the truth in columns truth_..., and weight. */
DORSALGIA_API int dorsalgia_simulate(const dorsalgia_model *model, const dorsalgia_simulate_options *options, struct ArrowArrayStream *out,
                                     dorsalgia_error *error);

#ifdef __cplusplus
}
#endif

#endif /* DORSALGIA_H */
