// The C interface as its callers meet it: codes instead of crashes, tables of every make, results that agree with the exact engine.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <set>
#include <thread>

#include "abi/arrow_tables.h"
#include "batch/table.h"
#include "cli/run.h"
#include "inference/exact.h"
#include "pathway/pathway.h"
#include "person/read.h"

namespace dorsalgia::test {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// One model for all tests; loading takes a moment.
const dorsalgia_model* model() {
  static dorsalgia_model* loaded = [] {
    dorsalgia_model* m = nullptr;
    EXPECT_EQ(dorsalgia_load(&m, nullptr), DORSALGIA_OK);
    return m;
  }();
  return loaded;
}

struct Error : dorsalgia_error {
  Error() : dorsalgia_error{sizeof(dorsalgia_error), -1, {}} {}
};

dorsalgia_table_options options(const char* outputs = nullptr, int strict = 0, int threads = 2) {
  return {sizeof(dorsalgia_table_options), outputs, nullptr, strict, threads};
}

Results assess(Table& table, Error& error, const dorsalgia_table_options& o = options()) {
  ArrowSchema schema{};
  ArrowArray array = table.batch(), out{};
  EXPECT_EQ(dorsalgia_assess_batch(model(), table.schema(), &array, &o, &out, &error), error.code);
  EXPECT_EQ(array.release, nullptr) << "the batch must have been moved";
  EXPECT_EQ(table.released, 1);
  if (error.code == DORSALGIA_OK) {
    EXPECT_EQ(dorsalgia_result_schema(model(), table.schema(), &o, &schema, nullptr), DORSALGIA_OK);
  }
  return {schema, out};
}

Results assess(Table& table, const dorsalgia_table_options& o = options()) {
  Error error;
  Results out = assess(table, error, o);
  EXPECT_EQ(error.code, DORSALGIA_OK) << error.message;
  return out;
}

std::string refused(Table& table, const dorsalgia_table_options& o = options()) {
  Error error;
  const Results out = assess(table, error, o);
  EXPECT_EQ(error.code, DORSALGIA_BAD_INPUT) << error.message;
  EXPECT_EQ(out.array().release, nullptr);
  return error.message;
}

// ---- handles and options

TEST(AbiHandles, NullIsRefusedEverywhere) {
  Error error;
  char* text = nullptr;
  ArrowSchema schema{};
  ArrowArray array{};
  ArrowArrayStream stream{};
  EXPECT_EQ(dorsalgia_load(nullptr, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_assess(nullptr, "{}", 2, nullptr, &text, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_PRED2(says, error.message, "null");
  EXPECT_EQ(dorsalgia_assess(model(), nullptr, 2, nullptr, &text, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_assess(model(), "{}", 2, nullptr, nullptr, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_schema(nullptr, &schema, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_schema(model(), nullptr, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_result_schema(model(), nullptr, nullptr, &schema, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_assess_batch(model(), nullptr, nullptr, nullptr, &array, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_assess_stream(model(), nullptr, nullptr, &stream, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_assess_stream(model(), &stream, nullptr, nullptr, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_simulate(nullptr, nullptr, &stream, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_model_hash(nullptr), nullptr);
  EXPECT_EQ(dorsalgia_free(nullptr), DORSALGIA_OK);
  dorsalgia_free_text(nullptr);
}

TEST(AbiHandles, AFreedModelIsRefusedAndItsStreamsGoOn) {
  dorsalgia_model* m = nullptr;
  ASSERT_EQ(dorsalgia_load(&m, nullptr), DORSALGIA_OK);
  ArrowArrayStream stream{};
  dorsalgia_simulate_options o{};
  o.size = sizeof o, o.people = 10, o.seed = 1;
  ASSERT_EQ(dorsalgia_simulate(m, &o, &stream, nullptr), DORSALGIA_OK);
  EXPECT_EQ(dorsalgia_free(m), DORSALGIA_OK);

  Error error;
  char* text = nullptr;
  EXPECT_EQ(dorsalgia_assess(m, "{}", 2, nullptr, &text, &error), DORSALGIA_BAD_HANDLE);
  EXPECT_STREQ(error.message, "this model was freed");
  EXPECT_EQ(dorsalgia_free(m), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(dorsalgia_model_hash(m), nullptr);

  ArrowArray batch{};
  ASSERT_EQ(stream.get_next(&stream, &batch), 0);
  EXPECT_EQ(batch.length, 10);
  batch.release(&batch);
  stream.release(&stream);
}

TEST(AbiHandles, WhatIsNoModelIsRefused) {
  alignas(16) char other[256] = {};
  char* text = nullptr;
  EXPECT_EQ(dorsalgia_assess(reinterpret_cast<dorsalgia_model*>(other), "{}", 2, nullptr, &text, nullptr), DORSALGIA_BAD_HANDLE);
}

TEST(AbiHandles, SizesOfStructsAreRead) {
  // A caller that knows only the first members; what stands behind them is not its own.
  dorsalgia_report_options o{offsetof(dorsalgia_report_options, profile), "text", "nonsense", "nonsense", 7, 0};
  char* text = nullptr;
  Error error;
  ASSERT_EQ(dorsalgia_assess(model(), "{}", 2, &o, &text, &error), DORSALGIA_OK) << error.message;
  dorsalgia_free_text(text);
  o.size = 0;
  EXPECT_EQ(dorsalgia_assess(model(), "{}", 2, &o, &text, &error), DORSALGIA_BAD_INPUT);
  // An error of a size that is not set stays as it was.
  dorsalgia_error unset{0, 42, "as it was"};
  EXPECT_EQ(dorsalgia_assess(nullptr, "{}", 2, nullptr, &text, &unset), DORSALGIA_BAD_HANDLE);
  EXPECT_STREQ(unset.message, "as it was");
  // A short one is not written beyond its end.
  dorsalgia_error small{offsetof(dorsalgia_error, message) + 5, 0, "....."};
  small.message[5] = 'x';
  EXPECT_EQ(dorsalgia_assess(nullptr, "{}", 2, nullptr, &text, &small), DORSALGIA_BAD_HANDLE);
  EXPECT_EQ(std::string(small.message), "the ");
  EXPECT_EQ(small.message[5], 'x');
}

TEST(AbiHandles, OneModelServesManyThreads) {
  std::vector<std::string> reports(4);
  std::vector<std::thread> threads;
  for (auto& report : reports)
    threads.emplace_back([&report] {
      char* text = nullptr;
      const std::string person = R"({"age": 70, "sex": "male"})";
      if (dorsalgia_assess(model(), person.data(), person.size(), nullptr, &text, nullptr) == DORSALGIA_OK) report = text;
      dorsalgia_free_text(text);
    });
  for (auto& t : threads) t.join();
  EXPECT_FALSE(reports[0].empty());
  for (const auto& report : reports) EXPECT_EQ(report, reports[0]);
}

// ---- one person

using AbiPerson = CommandLine;

TEST_F(AbiPerson, TheReportIsThatOfTheProgram) {
  const std::string person = slurp(std::string(DORSALGIA_SOURCE_DIR) + "/examples/breast-12y-55f.json");
  char* text = nullptr;
  ASSERT_EQ(dorsalgia_assess(model(), person.data(), person.size(), nullptr, &text, nullptr), DORSALGIA_OK);
  const Outcome program = run("assess --json " + std::string(DORSALGIA_SOURCE_DIR) + "/examples/breast-12y-55f.json");
  EXPECT_EQ(program.exit, 0);
  EXPECT_EQ(std::string(text), program.out);
  dorsalgia_free_text(text);
}

TEST(AbiPersonFaults, AreAllTold) {
  Error error;
  char* text = nullptr;
  const std::string person = R"({"age": 212, "findings": {"fevre": "present"}})";
  EXPECT_EQ(dorsalgia_assess(model(), person.data(), person.size(), nullptr, &text, &error), DORSALGIA_BAD_INPUT);
  EXPECT_EQ(text, nullptr);
  EXPECT_PRED2(says, error.message, "212 years is not an age");
  EXPECT_PRED2(says, error.message, "did you mean 'fever'?");
  EXPECT_EQ(dorsalgia_assess(model(), "", 0, nullptr, &text, &error), DORSALGIA_BAD_INPUT);
  dorsalgia_report_options o{sizeof o, "pdf", nullptr, nullptr, 0, 0};
  EXPECT_EQ(dorsalgia_assess(model(), "{}", 2, &o, &text, &error), DORSALGIA_BAD_INPUT);
  EXPECT_STREQ(error.message, "format: one of json, text, html is needed");
}

// ---- tables

TEST(AbiTable, SaysWhatColumnsThereAre) {
  ArrowSchema schema{};
  ASSERT_EQ(dorsalgia_schema(model(), &schema, nullptr), DORSALGIA_OK);
  const Knowledge k = builtin_knowledge();
  EXPECT_EQ(schema.n_children, static_cast<std::int64_t>(6 + k.findings.size()));
  for (std::int64_t i = 0; i < schema.n_children; ++i)
    EXPECT_FALSE(metadata_of(*schema.children[i])["description"].empty()) << schema.children[i]->name;
  schema.release(&schema);
}

// Results of one row whose only column is this one.
std::string only(const TableColumn& column, const std::string& what = "error") {
  Table table({column});
  const Results out = assess(table, options("probability,urgency"));
  return out.text(what, 0);
}
float tumour(const TableColumn& column) {
  Table table({column});
  const Results out = assess(table, options("probability"));
  EXPECT_EQ(out.text("error", 0), "(null)");
  return out.number("tumour", 0);
}

TEST(AbiTable, OneAnswerIsTheSameInEveryMake) {
  const float present = tumour(booleans("night_pain", {true})), absent = tumour(booleans("night_pain", {false}));
  const float unknown = tumour(booleans("night_pain", {std::nullopt}));
  EXPECT_GT(present, unknown);
  EXPECT_LT(absent, unknown);
  for (const char* word : {"present", "Yes", "true", "POSITIVE"}) {
    EXPECT_EQ(tumour(texts("night_pain", {word})), present) << word;
    EXPECT_EQ(tumour(views("night_pain", {word})), present) << word;
    EXPECT_EQ(tumour(coded("night_pain", {"absent", word}, {std::int8_t{1}})), present) << word;
  }
  EXPECT_EQ(tumour(texts("nocturnal_pain", {"present"})), present) << "a synonym";
  EXPECT_EQ(tumour(numbers<std::int8_t>("night_pain", "c", {std::int8_t{1}})), present);
  EXPECT_EQ(tumour(numbers<double>("night_pain", "g", {0.0})), absent);
  EXPECT_EQ(tumour(numbers<std::uint64_t>("night_pain", "L", {std::uint64_t{0}})), absent);
  for (const char* word : {"unknown", "not assessed"}) EXPECT_EQ(tumour(texts("night_pain", {word})), unknown);
  EXPECT_EQ(tumour(coded("night_pain", {std::nullopt}, {std::int8_t{0}})), unknown) << "an entry that is null";
  TableColumn nothing{"night_pain", "n", {}, 1, 0, 1, nullptr};
  EXPECT_EQ(tumour(nothing), unknown);
}

TEST(AbiTable, NumbersOfEveryWidth) {
  const float esr = tumour(numbers<double>("esr", "g", {90.0}));
  EXPECT_EQ(tumour(numbers<float>("esr", "f", {90.0F})), esr);
  EXPECT_EQ(tumour(numbers<std::int16_t>("esr", "s", {std::int16_t{90}})), esr);
  EXPECT_EQ(tumour(numbers<std::uint8_t>("esr_mm_h", "C", {std::uint8_t{90}})), esr) << "a name with its unit";
  TableColumn decimal{"esr", "d:5,1", {{}, bytes_of(std::vector<std::int64_t>{900, 0})}, 1, 0, 0, nullptr};
  EXPECT_EQ(tumour(decimal), esr);
  EXPECT_EQ(tumour(numbers<double>("hb_g_dl", "g", {11.0})), tumour(numbers<double>("haemoglobin", "g", {110.0})));
}

TEST(AbiTable, RowsAtFaultAreMarkedAndTheRestGoesOn) {
  Table table({numbers<std::int64_t>("id", "l", {7, 8, 9, 10}), numbers<double>("age", "g", {50.0, 212.0, std::nan(""), std::nullopt}),
               texts("night_pain", {"present", "present", "perhaps", "absent"}), texts("sex", {"female", "x", "male", std::nullopt})});
  const Results out = assess(table);
  EXPECT_EQ(out.rows(), 4);
  EXPECT_EQ(static_cast<const std::int64_t*>(out.column("id").buffers[1])[2], 9);
  EXPECT_EQ(out.text("error", 0), "(null)");
  EXPECT_EQ(out.text("error", 1), "age: 212 years is not an age (0 to 120); sex: 'x' is no answer (male, female, unknown)");
  EXPECT_EQ(out.text("error", 2),
            "age: NaN is not a number (null means unknown); night_pain: 'perhaps' is no answer (present, absent, unknown)");
  EXPECT_EQ(out.text("error", 3), "(null)");
  for (const char* name : {"tumour", "urgency", "cause_met_breast"}) {
    EXPECT_TRUE(out.known(name, 0)) << name;
    EXPECT_FALSE(out.known(name, 1)) << name;
    EXPECT_FALSE(out.known(name, 2)) << name;
    EXPECT_TRUE(out.known(name, 3)) << name;
  }
  Table again({numbers<double>("age", "g", {50.0, 212.0, -1.0})});
  EXPECT_EQ(refused(again, options(nullptr, 1)), "row 1 (the first is row 0): age: 212 years is not an age (0 to 120)");
}

TEST(AbiTable, WhatCannotBeIsAFault) {
  Table table({texts("sex", {"male", "female"}), numbers<double>("age", "g", {30.0, 30.0}), booleans("pregnancy", {true, true})});
  const Results out = assess(table);
  EXPECT_EQ(out.text("error", 0), "pregnancy: does not occur in a male of 30 (check sex and age)");
  EXPECT_EQ(out.text("error", 1), "(null)");
}

TEST(AbiTable, ChildrenHaveAnUrgencyAndNoProbability) {
  Table table({numbers<double>("age", "g", {10.0}), booleans("night_pain", {true})});
  const Results out = assess(table);
  EXPECT_PRED2(says, out.text("withheld", 0), "under 18");
  EXPECT_FALSE(out.known("tumour", 0));
  EXPECT_TRUE(out.known("urgency", 0));
  EXPECT_EQ(out.text("error", 0), "(null)");
}

TEST(AbiTable, ZeroGradesAndHistories) {
  const float any = tumour(booleans("history_breast", {true})), old = tumour(texts("history_breast", {"10 or more years ago"}));
  EXPECT_EQ(tumour(texts("history_breast", {"present"})), any);
  EXPECT_NE(any, old);
  EXPECT_EQ(only(numbers<std::int8_t>("history_breast", "c", {std::int8_t{3}})),
            "history_breast: 3 is no answer (present, absent, unknown, never, less than 1 year ago, 1 to 5 years ago, 5 to 10 years ago, "
            "10 or more years ago)");
  EXPECT_NE(tumour(texts("mri_marrow_lesion", {"suspicious"})), tumour(texts("mri_marrow_lesion", {"definite"})));
  EXPECT_EQ(only(texts("sensory_level", {"T10"}), "urgency"), "emergency");
}

TEST(AbiTable, WrongTypesAreToldWithTheirRemedy) {
  const auto why = [](const TableColumn& column) {
    Table table({column});
    return refused(table);
  };
  EXPECT_EQ(why(texts("age", {"50"})), "column 'age' is of type text: give years as numbers (cast to float64)");
  EXPECT_EQ(why(texts("esr", {"50"})), "column 'esr' is of type text: give numbers in mm/h (cast to float64)");
  EXPECT_PRED2(says, why(booleans("sex", {true})), "column 'sex' is of type boolean: give text: male, female");
  EXPECT_PRED2(says, why(numbers<double>("location", "g", {1.0})), "is of type float64");
  EXPECT_PRED2(says, why(numbers<std::int32_t>("night_pain", "tdD", {1})), "date or time");
  EXPECT_PRED2(says, why(numbers<std::int32_t>("night_pain", "e", {1})), "float16");
  EXPECT_PRED2(says, why(numbers<std::int32_t>("night_pain", "", {1})), "Arrow type ''");
  EXPECT_PRED2(says, why(numbers<std::int32_t>("night_pain", "w:16", {1})), "Arrow type 'w:16'");
  EXPECT_PRED2(says, why(numbers<double>("id", "g", {1.0})), "text or whole numbers");
  Table twice({booleans("night_pain", {true}), booleans("nocturnal_pain", {true})});
  EXPECT_EQ(refused(twice), "columns 'night_pain' and 'nocturnal_pain' are about the same thing: keep one of them");
}

TEST(AbiTable, UnknownColumnsAreNamedOnce) {
  std::vector<TableColumn> columns = {booleans("fevre", {true, false}), booleans("cancer_history", {true, true}),
                                      booleans("truth_tumour", {true, true}), numbers<double>("weight", "g", {1.0, 1.0})};
  Table table(columns);
  const Results out = assess(table);
  const std::string said = metadata_of(out.schema())["dorsalgia.unknown_columns"];
  EXPECT_PRED2(says, said, "fevre (did you mean 'fever'?)\ncancer_history (in a table each cancer has a column");
  EXPECT_EQ(said.find("truth_tumour"), std::string::npos);
  Table strict(columns);
  EXPECT_PRED2(says, refused(strict, options(nullptr, 1)), "unknown columns: fevre");
}

TEST(AbiTable, GroupsOfResultsAreChosen) {
  Table table({booleans("night_pain", {true})});
  const Results out = assess(table, options("all"));
  for (const char* name : {"tumour", "urgency", "cause_met_breast", "mechanism_cord_compression", "level_T10", "compression_12w"})
    EXPECT_TRUE(out.has(name)) << name;
  Table other({booleans("night_pain", {true})});
  EXPECT_FALSE(assess(other, options("urgency")).has("tumour"));
  Table wrong({booleans("night_pain", {true})});
  const std::string why = refused(wrong, options("urgency,pictures"));
  EXPECT_PRED2(says, why, "no group is called 'pictures'");
  for (const char* group : {"probability", "urgency", "causes", "mechanisms", "levels", "stages", "forecast", "all", "intervals", "next"})
    EXPECT_PRED2(says, why, group);
}

TEST(AbiTable, WhatTakesLongerIsNotPartOfAll) {
  const auto columns = [](const char* outputs) {
    Table table({booleans("night_pain", {true})});
    return assess(table, options(outputs));
  };
  const Results all = columns("all"), intervals = columns("urgency,intervals"), causes = columns("causes,intervals"),
                next = columns("next");
  for (const char* name : {"tumour_low", "next"}) EXPECT_FALSE(all.has(name)) << name;
  EXPECT_TRUE(columns("all,next").has("next"));
  EXPECT_TRUE(intervals.has("malignant_high") && !intervals.has("malignant") && !intervals.has("cause_met_breast_low"));
  EXPECT_TRUE(causes.has("cause_met_breast_low") && !causes.has("compression_1w_low"));
  EXPECT_LT(intervals.number("tumour_low", 0), all.number("tumour", 0));
  EXPECT_GT(intervals.number("tumour_high", 0), all.number("tumour", 0));
  EXPECT_FALSE(next.has("tumour_low"));
  EXPECT_GT(next.number("next_tumour_bits", 0), 0);
}

TEST(AbiTable, RowsWithoutProbabilitiesHaveNoIntervalsAndNoQuestion) {
  Table table({numbers<double>("age", "g", {10.0, 212.0, 50.0}), texts("location", {"lumbar", "lumbar", "back"})});
  const Results out = assess(table, options("causes,intervals,next"));
  for (const char* name : {"tumour_low", "emergency_high", "cause_met_breast_low", "next", "next_tumour_bits", "next_emergency_bits"}) {
    EXPECT_FALSE(out.known(name, 0)) << name << " of a child";
    EXPECT_FALSE(out.known(name, 1)) << name << " of a row at fault";
    EXPECT_TRUE(out.known(name, 2)) << name << " of somebody whose pain is in one of several places";
  }
}

// ---- slices, nulls, nothing

TEST(AbiTable, SlicesAreReadFromTheirOffset) {
  std::vector<std::optional<double>> ages;
  std::vector<std::optional<bool>> pain;
  Words where, setting;
  std::vector<std::optional<std::int8_t>> sex;
  std::mt19937 random(4);
  const auto draw = [&](unsigned n) { return static_cast<int>(random() % n); };
  for (int i = 0; i < 50; ++i) {
    ages.push_back(draw(4) ? std::optional<double>(18 + draw(70)) : std::nullopt);
    pain.push_back(draw(2) ? std::optional<bool>(draw(2) == 0) : std::nullopt);
    where.push_back(draw(3) ? std::optional<std::string>(draw(2) ? "lumbar" : "upper back") : std::nullopt);
    setting.push_back(draw(3) ? std::optional<std::string>("primary care") : std::nullopt);
    sex.push_back(draw(3) ? std::optional<std::int8_t>(static_cast<std::int8_t>(draw(3))) : std::nullopt);
  }
  std::vector<TableColumn> columns = {numbers<double>("age", "g", ages), booleans("night_pain", pain), texts("location", where),
                                      views("setting", setting), coded("sex", {"male", "female", std::nullopt}, sex)};
  Table whole(columns);
  const Results all = assess(whole, options("all"));
  for (const std::int64_t offset : {1, 7, 8, 13, 50}) {
    for (TableColumn& c : columns) c.offset = offset;
    Table slice(columns);
    const Results some = assess(slice, options("all"));
    ASSERT_EQ(some.rows(), 50 - offset);
    for (std::int64_t r = 0; r < some.rows(); ++r) {
      EXPECT_EQ(some.number("tumour", r), all.number("tumour", offset + r));
      EXPECT_EQ(some.number("level_T10", r), all.number("level_T10", offset + r));
      EXPECT_EQ(some.text("urgency", r), all.text("urgency", offset + r));
    }
  }
  // The offset may be that of the struct instead.
  for (TableColumn& c : columns) c.offset = 0;
  Table shifted(columns, 37);
  shifted.top().offset = 13;
  const Results some = assess(shifted);
  for (std::int64_t r = 0; r < 37; ++r) EXPECT_EQ(some.number("tumour", r), all.number("tumour", 13 + r));
}

TEST(AbiTable, NoRowsNoColumnsAndRowsThatAreNull) {
  Table empty({numbers<double>("age", "g", {}), texts("sex", {})});
  EXPECT_EQ(assess(empty).rows(), 0);
  Table bare({}, 3);
  const Results out = assess(bare);
  EXPECT_EQ(out.rows(), 3);
  EXPECT_EQ(out.number("tumour", 0), out.number("tumour", 2));
  Table table({numbers<double>("age", "g", {50.0, 60.0})});
  const std::uint8_t second[] = {2};
  const void* buffers[] = {second};
  table.top().buffers = buffers, table.top().null_count = 1;
  const Results half = assess(table);
  EXPECT_EQ(half.text("error", 0), "the whole row is null");
  EXPECT_TRUE(half.known("tumour", 1));
}

// ---- lies

TEST(AbiTable, LyingArraysAreRefused) {
  const auto why = [](const std::function<void(Table&)>& lie) {
    Table table({numbers<double>("age", "g", {50.0, 60.0}), texts("sex", {"male", "female"}),
                 coded("night_pain", {"present"}, {std::int8_t{0}, std::int8_t{0}}),
                 views("setting", {"primary care", "emergency department"})});
    lie(table);
    return refused(table);
  };
  EXPECT_PRED2(says, why([](Table& t) { t.top().length = -1; }), "below 0");
  EXPECT_PRED2(says, why([](Table& t) { t.top().length = 1000; }), "column 'age': 2 rows in a table of 1000");
  EXPECT_PRED2(says, why([](Table& t) { t.top().offset = std::numeric_limits<std::int64_t>::max(); }), "below 0");
  EXPECT_PRED2(says, why([](Table& t) { t.top().offset = 1; }), "2 rows in a table of 3");
  EXPECT_PRED2(says, why([](Table& t) { t.top().n_children = 3; }), "3 columns and its schema 4");
  EXPECT_PRED2(says, why([](Table& t) { t.top().children = nullptr; }), "its schema 4");
  EXPECT_PRED2(says, why([](Table& t) { t.top().children[1] = nullptr; }), "missing");
  EXPECT_PRED2(says, why([](Table& t) { t.array(0).length = -5; }), "below 0");
  EXPECT_PRED2(says, why([](Table& t) { t.array(0).n_buffers = 1; }), "1 buffers where 2 are needed");
  EXPECT_PRED2(says, why([](Table& t) { t.array(0).buffers[1] = nullptr; }), "no values");
  EXPECT_PRED2(says, why([](Table& t) { t.array(0).buffers = nullptr; }), "no buffers");
  EXPECT_PRED2(says, why([](Table& t) { t.array(0).null_count = 1; }), "none are marked");
  EXPECT_PRED2(says, why([](Table& t) { t.array(1).buffers[2] = nullptr; }), "no bytes of text");
  EXPECT_PRED2(says, why([](Table& t) { t.array(2).dictionary = nullptr; }), "no dictionary");
  EXPECT_PRED2(says, why([](Table& t) { t.array(2).dictionary->length = 0; }), "a code outside its dictionary");
  EXPECT_PRED2(says, why([](Table& t) { t.array(3).n_buffers = 2; }), "buffers");
  EXPECT_PRED2(says, why([](Table& t) {
                 static const std::int64_t none = 0;
                 t.array(3).buffers[3] = &none;
               }),
               "outside its block");
  EXPECT_PRED2(says, why([](Table& t) {
                 static const std::int32_t falling[] = {9, 4, 1};
                 t.array(1).buffers[1] = falling;
               }),
               "offsets of text that fall");
  Table gone({numbers<double>("age", "g", {50.0})});
  ArrowArray array = gone.batch(), out{};
  array.release = nullptr;
  EXPECT_EQ(dorsalgia_assess_batch(model(), gone.schema(), &array, nullptr, &out, nullptr), DORSALGIA_BAD_INPUT);
}

// ---- streams

Results pull(ArrowArrayStream& stream) {
  ArrowSchema schema{};
  ArrowArray array{};
  EXPECT_EQ(stream.get_schema(&stream, &schema), 0);
  EXPECT_EQ(stream.get_next(&stream, &array), 0) << stream.get_last_error(&stream);
  return {schema, array};
}

TEST(AbiStream, BatchesOfAnySizeAreOneTable) {
  std::vector<std::optional<double>> ages;
  for (int i = 0; i < 5000; ++i) ages.emplace_back(18 + i % 80);
  Table big({numbers<double>("age", "g", ages)}), small({numbers<double>("age", "g", {30.0, 40.0, 50.0})}),
      none({numbers<double>("age", "g", {})});
  TestStream source{big.schema(), {small.batch(), none.batch(), big.batch(), small.batch()}, 0, "", false};
  ArrowArrayStream in = source.stream(), out{};
  Error error;
  ASSERT_EQ(dorsalgia_assess_stream(model(), &in, nullptr, &out, &error), DORSALGIA_OK) << error.message;
  EXPECT_EQ(in.release, nullptr);
  const Results all = pull(out);
  ASSERT_EQ(all.rows(), 5006);
  EXPECT_EQ(all.number("tumour", 3 + 12), all.number("tumour", 0)) << "30 years, twice";
  EXPECT_EQ(all.number("tumour", 5003), all.number("tumour", 0));
  EXPECT_EQ(pull(out).array().release, nullptr) << "the end";
  EXPECT_EQ(pull(out).array().release, nullptr) << "and again";
  EXPECT_EQ(big.released + none.released, 2);
  out.release(&out);
  EXPECT_TRUE(source.released);
}

TEST(AbiStream, IsGatheredWithItsErrors) {
  Table good({numbers<double>("age", "g", {30.0})});
  TestStream source{good.schema(), {good.batch(), good.batch()}, 0, "", false};
  ArrowArrayStream in = source.stream(), out{};
  Error error;
  ASSERT_EQ(dorsalgia_gather(&in, &out, &error), DORSALGIA_OK) << error.message;
  EXPECT_EQ(source.next, 2U);
  for (const std::int64_t rows : {1, 1, 0}) {
    ArrowArray array{};
    ASSERT_EQ(out.get_next(&out, &array), 0);
    EXPECT_EQ(array.length, rows);
    if (array.release) array.release(&array);
  }
  out.release(&out);
  EXPECT_TRUE(source.released);
  TestStream broken{good.schema(), {good.batch()}, 0, "disk on fire", false};
  in = broken.stream();
  EXPECT_EQ(dorsalgia_gather(&in, &out, &error), DORSALGIA_SOURCE);
  EXPECT_STREQ(error.message, "disk on fire");
  EXPECT_EQ(out.release, nullptr);
  EXPECT_EQ(dorsalgia_gather(nullptr, &out, &error), DORSALGIA_BAD_HANDLE);
}

TEST(AbiStream, FaultsOfALaterBatchAreToldAndLast) {
  Table good({numbers<double>("age", "g", {30.0})}), bad({numbers<double>("age", "g", {300.0})});
  const dorsalgia_table_options strict = options(nullptr, 1);
  TestStream source{good.schema(), {good.batch(), bad.batch()}, 0, "", false};
  ArrowArrayStream in = source.stream(), out{};
  ASSERT_EQ(dorsalgia_assess_stream(model(), &in, &strict, &out, nullptr), DORSALGIA_OK);
  ArrowArray array{};
  EXPECT_EQ(out.get_next(&out, &array), EINVAL);
  EXPECT_STREQ(out.get_last_error(&out), "row 1 (the first is row 0): age: 300 years is not an age (0 to 120)");
  EXPECT_EQ(out.get_next(&out, &array), EINVAL) << "rows were lost: never an end";
  out.release(&out);

  TestStream broken{good.schema(), {}, 0, "disk on fire", false};
  in = broken.stream();
  ASSERT_EQ(dorsalgia_assess_stream(model(), &in, nullptr, &out, nullptr), DORSALGIA_OK);
  EXPECT_EQ(out.get_next(&out, &array), EIO);
  EXPECT_STREQ(out.get_last_error(&out), "the stream of people failed: disk on fire");
  out.release(&out);

  TestStream wrong{nullptr, {}, 0, "", false};
  Table text({texts("age", {"x"})});
  wrong.schema = text.schema();
  in = wrong.stream();
  Error error;
  EXPECT_EQ(dorsalgia_assess_stream(model(), &in, nullptr, &out, &error), DORSALGIA_BAD_INPUT);
  EXPECT_PRED2(says, error.message, "column 'age'");
  EXPECT_TRUE(wrong.released);
  EXPECT_EQ(out.release, nullptr);
  ArrowArrayStream released{};
  EXPECT_EQ(dorsalgia_assess_stream(model(), &released, nullptr, &out, &error), DORSALGIA_BAD_INPUT);
}

// ---- agreement

std::string taken(char* text) {
  std::string out = text ? text : "";
  dorsalgia_free_text(text);
  return out;
}

nlohmann::json report_of(const std::string& person, int quick) {
  const dorsalgia_report_options o{sizeof o, nullptr, nullptr, nullptr, 0, quick};
  char* text = nullptr;
  Error error;
  EXPECT_EQ(dorsalgia_assess(model(), person.c_str(), person.size(), &o, &text, &error), DORSALGIA_OK) << error.message;
  return nlohmann::json::parse(taken(text));
}

bool close(double a, double b) { return std::abs(a - b) <= 1e-9 + 1e-5 * std::abs(b); }

// A row as JSON, for the person reader; whoever has had a cancer has context.history instead of saying which.
nlohmann::json person_json(const Results& people, std::int64_t r, const Knowledge& k) {
  nlohmann::json person;
  for (std::int64_t c = 1; c < people.schema().n_children; ++c) {
    const ArrowSchema& s = *people.schema().children[c];
    const std::string name = s.name, format = s.format;
    if (name.rfind("truth_", 0) == 0 || name == "weight" || !people.known(name, r)) continue;
    const void* values = people.column(name).buffers[1];
    nlohmann::json value;
    if (format == "g") value = static_cast<const double*>(values)[r];
    else if (format == "b") value = (static_cast<const std::uint8_t*>(values)[r / 8] >> (r % 8) & 1) != 0;
    else value = people.text(name, r);
    const Finding* f = k.finding(name);
    if (!f) person[name] = value;
    else if (f->kind == FindingKind::measured) person["labs"][name] = {{"value", value}, {"unit", f->unit}};
    else if (f->kind == FindingKind::history && value != "never") person["context"]["history"] = true;
    else person["findings"][name] = value;
  }
  return person;
}

// Virtual people through the table, beside the exact engine on what the rows say.
TEST(AbiAgreement, TheTableIsTheExactEngine) {
  const char* scale = std::getenv("DORSALGIA_TEST_SHARE");
  const std::uint64_t people = scale ? 100 : 1500;
  dorsalgia_simulate_options o{};
  o.size = sizeof o, o.people = people, o.seed = 11, o.recorded = 1, o.threads = 2;
  ArrowArrayStream drawn{}, again{}, out{};
  ASSERT_EQ(dorsalgia_simulate(model(), &o, &drawn, nullptr), DORSALGIA_OK);
  ASSERT_EQ(dorsalgia_simulate(model(), &o, &again, nullptr), DORSALGIA_OK);
  const dorsalgia_table_options all = options("all");
  ASSERT_EQ(dorsalgia_assess_stream(model(), &drawn, &all, &out, nullptr), DORSALGIA_OK);
  const Results people_table = pull(again), results = pull(out);
  ASSERT_EQ(results.rows(), static_cast<std::int64_t>(people));

  const Knowledge k = builtin_knowledge();
  const Model m = compile(k);
  const ExactEngine exact(m);
  int children = 0;
  for (std::int64_t r = 0; r < results.rows(); ++r) {
    ASSERT_EQ(results.text("error", r), "(null)");
    nlohmann::json person = person_json(people_table, r, k);
    // What a history says in years the person's JSON says for all cancers at once: such people are told directly.
    const bool history = person.contains("context");
    person.erase("context");
    PersonRead read = read_person(person, k, m);
    ASSERT_TRUE(read.faults.empty()) << read.faults[0].text();
    if (history)
      for (std::size_t f = 0; f < m.findings.size(); ++f) {
        if (m.findings[f].shape != Shape::history || !people_table.known(m.findings[f].id, r)) continue;
        const std::vector<std::string> bins = {"never", "less than 1 year ago", "1 to 5 years ago", "5 to 10 years ago",
                                               "10 or more years ago"};
        const auto bin = static_cast<int>(std::find(bins.begin(), bins.end(), people_table.text(m.findings[f].id, r)) - bins.begin());
        if (bin > 0) read.person.answers.push_back({static_cast<int>(f), bin, bin, false, 0, 0, ""});
      }
    std::sort(read.person.answers.begin(), read.person.answers.end(),
              [](const Answer& a, const Answer& b) { return a.finding < b.finding; });
    const Posterior p = exact.posterior(read.person);
    EXPECT_EQ(results.text("urgency", r), urgency_id(triage(k, m, read.person, "uk", &p).urgency)) << r;
    if (read.person.age && *read.person.age < kAdult) {
      EXPECT_FALSE(results.known("tumour", r));
      ++children;
      continue;
    }
    EXPECT_TRUE(close(results.number("tumour", r), p.tumour)) << r << ": " << results.number("tumour", r) << " " << p.tumour;
    EXPECT_TRUE(close(results.number("malignant", r), p.malignant));
    EXPECT_TRUE(close(results.number("emergency", r), p.emergency));
    for (std::size_t c = 0; c < m.causes.size(); ++c) EXPECT_TRUE(close(results.number("cause_" + m.causes[c].id, r), p.causes[c])) << r;
    for (std::size_t i = 0; i < m.mechanisms.size(); ++i)
      EXPECT_TRUE(close(results.number("mechanism_" + m.mechanisms[i].id, r), p.mechanisms[i])) << r;
    for (std::size_t i = 0; i < m.levels.size(); ++i) EXPECT_TRUE(close(results.number("level_" + m.levels[i].id, r), p.levels[i])) << r;
    EXPECT_TRUE(close(results.number("compression_12w", r), p.compression[3])) << r;
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_LT(children, results.rows() / 2);
  drawn = {}, again.release(&again), out.release(&out);
}

// Beside the report of one person, which says the same things by its own way through the library.
TEST(AbiAgreement, IntervalsAndTheNextQuestionAreThoseOfTheReport) {
  dorsalgia_simulate_options o{};
  o.size = sizeof o, o.people = std::getenv("DORSALGIA_TEST_SHARE") ? 12 : 60, o.seed = 5, o.recorded = 1, o.threads = 1;
  ArrowArrayStream drawn{}, again{}, out{};
  ASSERT_EQ(dorsalgia_simulate(model(), &o, &drawn, nullptr), DORSALGIA_OK);
  ASSERT_EQ(dorsalgia_simulate(model(), &o, &again, nullptr), DORSALGIA_OK);
  const dorsalgia_table_options wanted = options("probability,causes,forecast,intervals,next");
  ASSERT_EQ(dorsalgia_assess_stream(model(), &drawn, &wanted, &out, nullptr), DORSALGIA_OK);
  const Results people = pull(again), results = pull(out);
  ASSERT_EQ(results.rows(), static_cast<std::int64_t>(o.people));
  const Knowledge k = builtin_knowledge();
  int told = 0;
  for (std::int64_t r = 0; r < results.rows(); ++r) {
    const nlohmann::json person = person_json(people, r, k);
    if (person.contains("context")) continue;  // a history of cancer is said otherwise in JSON
    const nlohmann::json report = report_of(person.dump(), 0);
    ASSERT_EQ(results.known("next", r), !report["next"].empty()) << r;
    ASSERT_EQ(results.known("tumour_low", r), !report["probability"]["interval"].is_null()) << r;
    if (!results.known("next", r)) {
      for (const char* name : {"next_tumour_bits", "next_emergency_bits", "cause_met_breast_high", "compression_4w_low"})
        EXPECT_FALSE(results.known(name, r)) << name;
      continue;
    }
    ++told;
    const auto interval = [&](const std::string& name, const nlohmann::json& its) {
      const float low = results.number(name + "_low", r), high = results.number(name + "_high", r), stated = results.number(name, r);
      EXPECT_TRUE(close(low, its[0]) && close(high, its[1])) << name << ": " << low << " to " << high << ", not " << its;
      EXPECT_TRUE(low <= stated && stated <= high) << name;
    };
    for (const char* name : {"tumour", "malignant", "emergency"}) interval(name, report["probability"]["interval"][name]);
    for (const auto& cause : report["causes"]) interval("cause_" + cause["id"].get<std::string>(), cause["interval"]);
    for (const auto& f : report["forecast"]) interval(fmt::format("compression_{:g}w", f["weeks"].get<double>()), f["interval"]);
    const nlohmann::json& next = report["next"][0];
    EXPECT_EQ(results.text("next", r), next["finding"]) << r;
    EXPECT_NEAR(results.number("next_tumour_bits", r), next["tumour_bits"].get<double>(), 1e-6);
    EXPECT_NEAR(results.number("next_emergency_bits", r), next["emergency_bits"].get<double>(), 1e-6);
  }
  EXPECT_GT(told, results.rows() / 2);
  drawn = {}, again.release(&again), out.release(&out);
}

// The bytes of all columns, so that NaNs and signs count as well.
std::string bytes_of_results(const Results& results) {
  std::string out;
  for (std::int64_t c = 0; c < results.schema().n_children; ++c) {
    const ArrowArray& a = *results.array().children[c];
    const std::string format = results.schema().children[c]->format;
    const auto rows = static_cast<std::size_t>(a.length);
    if (a.buffers[0]) out.append(static_cast<const char*>(a.buffers[0]), (rows + 7) / 8);
    if (format == "f") out.append(static_cast<const char*>(a.buffers[1]), 4 * rows);
    if (format == "g" || format == "l") out.append(static_cast<const char*>(a.buffers[1]), 8 * rows);
    if (format == "u") {
      const auto* offsets = static_cast<const std::int32_t*>(a.buffers[1]);
      out.append(static_cast<const char*>(a.buffers[1]), 4 * rows + 4);
      out.append(static_cast<const char*>(a.buffers[2]), static_cast<std::size_t>(offsets[rows]));
    }
  }
  return out;
}

TEST(AbiAgreement, ThreadsChangeNothing) {
  std::vector<std::string> seen;
  for (const int threads : {1, 2, 5}) {
    dorsalgia_simulate_options o{};
    o.size = sizeof o, o.people = std::getenv("DORSALGIA_TEST_SHARE") ? 300 : 5000, o.seed = 3, o.threads = threads;
    ArrowArrayStream drawn{}, out{};
    ASSERT_EQ(dorsalgia_simulate(model(), &o, &drawn, nullptr), DORSALGIA_OK);
    const dorsalgia_table_options all = options("all", 0, threads), slow = options("causes,intervals,next", 0, threads);
    ASSERT_EQ(dorsalgia_assess_stream(model(), &drawn, &all, &out, nullptr), DORSALGIA_OK);
    seen.push_back(bytes_of_results(pull(out)));
    out.release(&out);
    o.people = 40;
    ASSERT_EQ(dorsalgia_simulate(model(), &o, &drawn, nullptr), DORSALGIA_OK);
    ASSERT_EQ(dorsalgia_assess_stream(model(), &drawn, &slow, &out, nullptr), DORSALGIA_OK);
    seen.back() += bytes_of_results(pull(out));
    out.release(&out);
  }
  EXPECT_FALSE(seen[0].empty());
  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(seen[0], seen[2]);
}

TEST(AbiStream, MemoryThatWasReleasedIsUsedAgainAndDoesNotShow) {
  // Every third row is null in another way, so that what stood in a slot before would be seen.
  std::vector<std::optional<double>> ages;
  for (int i = 0; i < 2500; ++i) ages.emplace_back(i % 3 == 1 ? 10 : i % 7 == 2 ? 300 : 18 + i % 80);
  const dorsalgia_table_options o = options("probability,urgency,next");  // 1,024 rows at once
  const auto bytes = [&](bool released_at_once) {
    Table table({numbers<double>("age", "g", ages)});
    TestStream source{table.schema(), {table.batch()}, 0, "", false};
    ArrowArrayStream in = source.stream(), out{};
    EXPECT_EQ(dorsalgia_assess_stream(model(), &in, &o, &out, nullptr), DORSALGIA_OK);
    std::vector<Results> kept;
    std::string all;
    for (const std::int64_t rows : {1024, 1024, 452}) {
      Results batch = pull(out);
      EXPECT_EQ(batch.rows(), rows);
      all += bytes_of_results(batch);
      if (!released_at_once) kept.push_back(std::move(batch));
    }
    out.release(&out);
    return all;
  };
  EXPECT_EQ(bytes(true), bytes(false));
}

TEST(AbiSimulate, FaultsAreTold) {
  const auto why = [](const char* setting, const char* causes, const char* only_these) {
    dorsalgia_simulate_options o{sizeof o, 10, 1, 0, setting, causes, only_these, 0, 1};
    ArrowArrayStream out{};
    Error error;
    EXPECT_EQ(dorsalgia_simulate(model(), &o, &out, &error), DORSALGIA_BAD_INPUT);
    return std::string(error.message);
  };
  EXPECT_PRED2(says, why("moon", nullptr, nullptr), "setting: nothing is called 'moon'");
  EXPECT_PRED2(says, why(nullptr, "met_brest", nullptr), "did you mean 'met_breast'?");
  EXPECT_PRED2(says, why(nullptr, "muscle_strain", "tumours"), "none of the causes");
  EXPECT_PRED2(says, why(nullptr, nullptr, "lumps"), "tumours or malignant");
}

// ---- for the page: quick reports, questions, knowledge, courses

const std::string kBackPain =
    R"({"age": 55, "sex": "female", "duration_weeks": 6, "context": {"cancer_history": "breast"}, "findings": {"night_pain": true}})";

TEST(AbiPage, AQuickReportIsTheWholeOneWithoutWhatTakesTime) {
  nlohmann::json whole = report_of(kBackPain, 0), quick = report_of(kBackPain, 1);
  EXPECT_TRUE(quick["probability"]["interval"].is_null());
  EXPECT_TRUE(quick["stages"].empty() && quick["reasons"].empty() && quick["next"].empty() && quick["changes"].empty());
  EXPECT_FALSE(whole["reasons"].empty());
  for (const char* key : {"stages", "reasons", "next", "changes", "evidence_fit", "comparators"}) whole.erase(key), quick.erase(key);
  for (nlohmann::json* report : {&whole, &quick}) (*report)["urgency"].erase("open_rules");
  ASSERT_EQ(quick["causes"].size(), 12U);
  while (whole["causes"].size() > 12) whole["causes"].erase(whole["causes"].end() - 1);
  for (nlohmann::json* report : {&whole, &quick}) {
    (*report)["probability"].erase("interval");
    for (const char* list : {"causes", "forecast"})
      for (auto& row : (*report)[list]) row.erase("interval");
  }
  EXPECT_EQ(quick, whole);
}

TEST(AbiPage, QuestionsBeginAsTheReportDoesAndHoldEverythingOpen) {
  char* text = nullptr;
  ASSERT_EQ(dorsalgia_questions(model(), kBackPain.c_str(), kBackPain.size(), &text, nullptr), DORSALGIA_OK);
  const auto questions = nlohmann::json::parse(taken(text));
  const auto report = report_of(kBackPain, 0);
  ASSERT_GT(questions.size(), 100U);
  for (std::size_t i = 0; i < report["next"].size(); ++i) EXPECT_EQ(questions[i]["finding"], report["next"][i]["finding"]);
  for (const auto& q : questions) {
    EXPECT_NE(q["finding"], "night_pain");
    EXPECT_TRUE(q["place"] == "findings" || q["place"] == "context" || q["place"] == "labs");
  }
}

TEST(AbiPage, TheKnowledgeHasASourceOrAReasonForEveryNumber) {
  char* text = nullptr;
  ASSERT_EQ(dorsalgia_knowledge(model(), &text, nullptr), DORSALGIA_OK);
  const auto k = nlohmann::json::parse(taken(text));
  EXPECT_EQ(k["hash"], dorsalgia_model_hash(model()));
  int numbers = 0;
  const std::function<void(const nlohmann::json&)> walk = [&](const nlohmann::json& x) {
    if (x.is_object() && x.contains("cite")) {
      ++numbers;
      const auto& cite = x["cite"];
      EXPECT_TRUE(cite.contains("source") ? k["sources"].contains(cite["source"].get<std::string>()) : cite["status"] == "judgement")
          << x.dump();
    }
    if (x.is_structured())
      for (const auto& child : x) walk(child);
  };
  walk(k);
  EXPECT_GT(numbers, 2000);
}

TEST(AbiPage, ACourseHoldsAllItsPeople) {
  const std::string request = R"({"cause": "met_breast", "age": 55, "sex": "female", "level": "T8"})";
  char* text = nullptr;
  ASSERT_EQ(dorsalgia_course(model(), request.c_str(), request.size(), &text, nullptr), DORSALGIA_OK);
  const auto course = nlohmann::json::parse(taken(text));
  EXPECT_EQ(course["level"], "T8");
  double before = 1 + 1e-9;
  for (const auto& row : course["occupancy"]) {
    double there = 0;
    for (double p : row) there += p;
    EXPECT_LE(there, before + 1e-9) << "nobody comes back from recovery";
    before = there;
  }
  for (const auto& stage : course["stages"])
    for (const auto& f : stage["findings"]) EXPECT_TRUE(f["probability"] >= 0.0 && f["probability"] <= 1.0) << f.dump();
  for (const char* bad : {R"({"cause": "none"})", R"({})", R"([])", "{", R"({"cause": "met_breast", "age": 200})",
                          R"({"cause": "met_breast", "level": "X1"})"}) {
    Error error;
    EXPECT_EQ(dorsalgia_course(model(), bad, std::strlen(bad), &text, &error), DORSALGIA_BAD_INPUT) << bad;
    EXPECT_NE(error.message[0], 0);
  }
}

// ---- symbols

TEST_F(AbiPerson, TheLibraryShowsItsHeaderAndNothingElse) {
  const std::string header = slurp(std::string(DORSALGIA_SOURCE_DIR) + "/include/dorsalgia.h");
  std::set<std::string> declared, shown;
  const std::regex function(R"(DORSALGIA_API [a-z_ *]*?(dorsalgia_[a-z_]+)\()");
  for (std::sregex_iterator it(header.begin(), header.end(), function), end; it != end; ++it) declared.insert((*it)[1]);
  const std::string file = (folder_ / "symbols").string();
  ASSERT_EQ(std::system(("nm -D --defined-only --with-symbol-versions " DORSALGIA_LIBRARY " > " + file).c_str()), 0);
  for (const std::string& line : lines_of(slurp(file))) {
    const std::string symbol = line.substr(line.rfind(' ') + 1);
    if (std::regex_match(symbol, std::regex("DORSALGIA_[12](@@DORSALGIA_[12])?"))) continue;  // the versions themselves
    const std::size_t at = symbol.find("@@");
    ASSERT_NE(at, std::string::npos) << "not versioned: " << line;
    EXPECT_TRUE(std::regex_match(symbol.substr(at), std::regex("@@DORSALGIA_[12]"))) << symbol;
    shown.insert(symbol.substr(0, at));
  }
  EXPECT_EQ(shown, declared);
  EXPECT_GT(declared.size(), 9U);
}

TEST_F(AbiPerson, TheExampleInCRuns) {
  ASSERT_EQ(std::system((DORSALGIA_C_EXAMPLE " > " + (folder_ / "out").string()).c_str()), 0);
  const std::string out = slurp(folder_ / "out");
  EXPECT_PRED2(says, out, "WITHIN");
  EXPECT_PRED2(says, out, "tumour     0.00");
  EXPECT_PRED2(says, out, "after dorsalgia_free: this model was freed");
}

}  // namespace
}  // namespace dorsalgia::test
