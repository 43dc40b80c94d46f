/* Dorsalgia from C: one person as JSON, three people as an Arrow table. No Arrow library is needed.
 *
 *   cc examples/c/assess.c -Iinclude -Lbuild -ldorsalgia -Wl,-rpath,$PWD/build -o /tmp/assess && /tmp/assess
 */
#include <stdio.h>
#include <string.h>

#include "dorsalgia.h"

static int failed(const char *what, const dorsalgia_error *error) {
  fprintf(stderr, "%s: code %d: %s\n", what, (int)error->code, error->message);
  return 1;
}

/* These columns live on the stack: there is nothing to release, only to mark as released. */
static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL; }

static struct ArrowSchema field(const char *name, const char *format) {
  struct ArrowSchema out;
  memset(&out, 0, sizeof out);
  out.name = name;
  out.format = format;
  out.flags = ARROW_FLAG_NULLABLE;
  out.release = release_schema;
  return out;
}

static struct ArrowArray column(const void **buffers, int64_t count, int64_t rows, int64_t nulls) {
  struct ArrowArray out;
  memset(&out, 0, sizeof out);
  out.length = rows;
  out.null_count = nulls;
  out.n_buffers = count;
  out.buffers = buffers;
  out.release = release_array;
  return out;
}

int main(void) {
  dorsalgia_error error = {.size = sizeof error};
  dorsalgia_model *model = NULL;
  if (dorsalgia_load(&model, &error) != DORSALGIA_OK) return failed("load", &error);
  printf("dorsalgia %s, model %s\n\n", dorsalgia_version(), dorsalgia_model_hash(model));

  /* One person. */
  const char *person =
      "{\"age\": 55, \"sex\": \"female\", \"setting\": \"primary care\", \"location\": \"lumbar\", \"duration_weeks\": 6,"
      " \"context\": {\"cancer_history\": \"breast\"}, \"findings\": {\"progressive_pain\": \"present\"}}";
  dorsalgia_report_options as_text = {.size = sizeof as_text, .format = "text"};
  char *report = NULL;
  if (dorsalgia_assess(model, person, strlen(person), &as_text, &report, &error) != DORSALGIA_OK) return failed("assess", &error);
  const char *end = report;
  for (int line = 0; line < 8 && end; ++line) end = strchr(end + 1, '\n');
  printf("%.*s\n ...\n\n", end ? (int)(end - report) : (int)strlen(report), report);
  dorsalgia_free_text(report);

  /* Three people: 30, 55 and 70 years; night pain no, unknown, yes. */
  const double ages[] = {30, 55, 70};
  const uint8_t night_pain_known[] = {5}, night_pain[] = {4}; /* bits 0 and 2; bit 2 */
  const void *age_buffers[] = {NULL, ages}, *night_buffers[] = {night_pain_known, night_pain}, *table_buffers[] = {NULL};
  struct ArrowSchema fields[] = {field("age", "g"), field("night_pain", "b")}, *field_places[] = {&fields[0], &fields[1]};
  struct ArrowArray columns[] = {column(age_buffers, 2, 3, 0), column(night_buffers, 2, 3, 1)},
                    *column_places[] = {&columns[0], &columns[1]};
  struct ArrowSchema schema = field("", "+s"), result_schema;
  schema.n_children = 2;
  schema.children = field_places;
  struct ArrowArray table = column(table_buffers, 1, 3, 0), results;
  table.n_children = 2;
  table.children = column_places;

  dorsalgia_table_options options = {.size = sizeof options, .outputs = "probability,urgency"};
  if (dorsalgia_result_schema(model, &schema, &options, &result_schema, &error) != DORSALGIA_OK) return failed("schema", &error);
  if (dorsalgia_assess_batch(model, &schema, &table, &options, &results, &error) != DORSALGIA_OK) return failed("table", &error);
  for (int64_t c = 0; c < results.n_children; ++c) {
    const char *format = result_schema.children[c]->format;
    if (strcmp(format, "f") != 0) continue;
    const float *p = (const float *)results.children[c]->buffers[1];
    printf("%-10s %.5f %.5f %.5f\n", result_schema.children[c]->name, p[0], p[1], p[2]);
  }
  results.release(&results);
  result_schema.release(&result_schema);

  /* A freed model is refused. */
  dorsalgia_free(model);
  if (dorsalgia_assess(model, person, strlen(person), NULL, &report, &error) != DORSALGIA_BAD_HANDLE) return 1;
  printf("\nafter dorsalgia_free: %s\n", error.message);
  return 0;
}
