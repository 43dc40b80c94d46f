// The functions of include/dorsalgia.h that take and give Arrow tables.
#include "abi/edge.h"
#include "abi/results.h"
#include "abi/virtual_people.h"

using namespace dorsalgia;
using namespace dorsalgia::abi;

namespace {

TableOptions table_options(const dorsalgia_table_options* options) {
  const dorsalgia_table_options o = taken(options);
  return TableOptions::from(o.outputs, o.profile, o.strict, o.threads);
}

}  // namespace

extern "C" {

int dorsalgia_schema(const dorsalgia_model* model, struct ArrowSchema* out, dorsalgia_error* error) {
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowSchema{};
    const auto brain = brain_of(model);
    export_schema(table_fields(brain->knowledge, brain->model),
                  {{"dorsalgia.model", brain->model.hash}, {"dorsalgia.version", brain->model.version}}, out);
  });
}

int dorsalgia_result_schema(const dorsalgia_model* model, const struct ArrowSchema* table, const dorsalgia_table_options* options,
                            struct ArrowSchema* out, dorsalgia_error* error) {
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowSchema{};
    const auto brain = brain_of(model);
    needed(table, "table");
    Assessor(brain, *table, table_options(options)).schema(out);
  });
}

int dorsalgia_assess_stream(const dorsalgia_model* model, struct ArrowArrayStream* people, const dorsalgia_table_options* options,
                            struct ArrowArrayStream* out, dorsalgia_error* error) {
  Stream owned;
  if (people) owned = Stream(people);
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArrayStream{};
    const auto brain = brain_of(model);
    needed(people, "people");
    assess_stream(brain, std::move(owned), table_options(options), out);
  });
}

int dorsalgia_assess_batch(const dorsalgia_model* model, const struct ArrowSchema* table, struct ArrowArray* people,
                           const dorsalgia_table_options* options, struct ArrowArray* out, dorsalgia_error* error) {
  Array owned;
  if (people) owned = Array(people);
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArray{};
    const auto brain = brain_of(model);
    needed(table, "table");
    needed(people, "people");
    Assessor assessor(brain, *table, table_options(options));
    const auto batch = assessor.reader().open(std::move(owned));
    const std::int64_t rows = batch->rows();
    std::vector<Assessor::Part> parts;
    const int most = assessor.options().rows_of_a_part();
    for (std::int64_t at = 0; at < rows; at += most)
      parts.push_back({batch, at, static_cast<int>(std::min<std::int64_t>(most, rows - at)), at});
    assessor.assess(parts, 0, out);
  });
}

int dorsalgia_gather(struct ArrowArrayStream* from, struct ArrowArrayStream* out, dorsalgia_error* error) {
  Stream owned;
  if (from) owned = Stream(from);
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArrayStream{};
    needed(from, "from");
    gather(std::move(owned), out);
  });
}

int dorsalgia_simulate(const dorsalgia_model* model, const dorsalgia_simulate_options* options, struct ArrowArrayStream* out,
                       dorsalgia_error* error) {
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArrayStream{};
    const auto brain = brain_of(model);
    simulate_stream(brain, taken(options), out);
  });
}

}  // extern "C"
