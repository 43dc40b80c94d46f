// `calibrate` and `validate`: the model held against published studies.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/cli.h"
#include "evidence/validate.h"

namespace dorsalgia::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
  std::string studies, output, json;
  bool as_json = false, all = false;
  std::string page;
};

KnowledgeFiles files_of(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw Stop(kBadInput, fmt::format("{}: not a folder of study files (docs/studies.md)", folder));
  KnowledgeFiles out;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml") {
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      out[entry.path().filename().string()] = text.str();
    }
  if (out.empty()) throw Stop(kBadInput, fmt::format("{}: no study file (*.yaml) in this folder", folder));
  return out;
}

std::vector<Study> studies_of(const Options& o, const Knowledge& knowledge) {
  std::vector<Complaint> complaints;
  std::vector<Study> out = read_studies(o.studies.empty() ? knowledge.texts : files_of(o.studies), knowledge, complaints);
  std::string all;
  for (const Complaint& c : complaints) all += c.text() + "\n";
  if (!complaints.empty()) throw Stop(kBadInput, all + fmt::format("{} fault(s) in the studies", complaints.size()));
  if (out.empty()) throw Stop(kBadInput, "no studies: the knowledge base has none, and --studies was not given");
  return out;
}

void told(const std::string& line) {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\x1b[K{}", line);
}
void told_all() {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "\r\x1b[K");
}

std::string share(double x) { return fmt::format("{:.3g}", x); }

void calibrate_command(const Shared& shared, const Options& o) {
  const Knowledge& knowledge = shared.knowledge();
  const std::vector<Study> studies = studies_of(o, knowledge);
  const Calibrated c = calibrate(knowledge, studies,
                                 [](int iteration, double cost) { told(fmt::format("fitting: step {}, cost {:.2f}", iteration, cost)); });
  told_all();
  if (!c.trouble.empty()) throw Stop(kBadInput, "not calibrated: " + c.trouble);
  if (!o.output.empty()) write_output(o.output, fitted_yaml(c, studies));

  fmt::print("{} figures of studies, {} parameters, {} steps; cost {:.1f} before, {:.1f} after.\n", c.figures, c.moved.size(), c.iterations,
             c.cost_before, c.cost_after);
  fmt::print("\nMoved{}:\n", o.all ? "" : " by more than one prior standard deviation");
  for (const Moved& m : c.moved)
    if (o.all || std::abs(m.z) > 1)
      fmt::print("  {:<52} {:+.2f}  {} -> {}   pulled by {}\n", m.parameter, m.z, share(m.from), share(m.to), fmt::join(m.pulled_by, ", "));
  fmt::print("\nPrior and data in conflict (2 or more standard deviations, before or after):\n");
  for (const Conflict& x : c.conflicts)
    fmt::print("  {:<58} observed {:<8} expected {:<8} ({:+.1f}) then {:<8} ({:+.1f})\n", x.figure, share(x.observed), share(x.before),
               x.distance_before, share(x.after), x.distance_after);
  if (!o.output.empty()) fmt::print("\nWritten to {}.\n", o.output);
}

void validate_command(const Shared& shared, const Options& o) {
  const Knowledge& knowledge = shared.knowledge();
  const std::vector<Study> studies = studies_of(o, knowledge);
  const Model model = compile(knowledge);
  const std::vector<Expectation> all =
      expectations(knowledge, model, studies, [](double done) { told(fmt::format("studies: {:.0f}%", 100 * done)); });
  told_all();
  const nlohmann::json result = validation_json(knowledge, model, all);
  if (!o.page.empty()) write_output(o.page, validation_page(result));
  if (o.as_json) {
    write_output(o.output, result.dump(1) + "\n");
    return;
  }
  std::string out;
  for (Use use : {Use::calibration, Use::validation, Use::context}) {
    out += fmt::format("{}\n", use_name(use));
    for (const Expectation& x : all) {
      if (x.figure->use != use) continue;
      const std::string name = x.study->id + "." + x.figure->id;
      if (!x.left_out.empty()) out += fmt::format("  {:<62} {:>8}  -         {}\n", name, share(x.figure->value), x.left_out);
      else
        out += fmt::format("  {:<62} {:>8}  {:<8} ({} to {}) {}\n", name, share(x.figure->value), share(x.expected), share(x.low),
                           share(x.high),
                           use == Use::context ? ""
                           : x.inside          ? "inside"
                                               : fmt::format("OUTSIDE {:+.1f}", x.distance));
    }
    out += "\n";
  }
  for (Use use : {Use::calibration, Use::validation}) {
    const Coverage c = coverage(all, use);
    out += fmt::format("{}: {} of {} figures inside ({:.0f}%); {} without a spread between studies\n", use_name(use), c.inside, c.figures,
                       100 * c.share(), c.inside_without_spread);
  }
  write_output(o.output, out);
}

}  // namespace

void add_studies(CLI::App& app, Shared& shared) {
  auto o = std::make_shared<Options>();
  auto* c = app.add_subcommand("calibrate", "Fit the model's numbers, within their spreads, to the studies marked use: calibration");
  c->add_option("--studies", o->studies, "Folder of study files instead of the knowledge base's own")->type_name("DIR");
  c->add_option("-o,--output", o->output, "Write the fitted values and draws here (knowledge/fitted.yaml)")->type_name("FILE");
  c->add_flag("--all", o->all, "List every parameter that was fitted, not only those that moved far");
  c->callback([&shared, o] { calibrate_command(shared, *o); });
  auto* v = app.add_subcommand("validate", "Hold every figure of every study against the model");
  v->add_option("--studies", o->studies, "Folder of study files instead of the knowledge base's own")->type_name("DIR");
  v->add_option("-o,--output", o->output, "Write to this file instead of the terminal")->type_name("FILE");
  v->add_option("--page", o->page, "Also write a page in Markdown")->type_name("FILE");
  v->add_flag("--json", o->as_json, "As JSON, with coverage and every figure");
  v->callback([&shared, o] { validate_command(shared, *o); });
}

}  // namespace dorsalgia::cli
