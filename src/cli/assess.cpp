// dorsalgia assess FILE|-: one person, one report.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/cli.h"
#include "person/read.h"
#include "report/report.h"
#include "report/telling.h"

namespace dorsalgia::cli {

void add_assess(CLI::App& app, Shared& shared) {
  struct Options {
    std::string file, output, voice = "clinician", profile = "uk";
    bool json = false, html = false;
    int width = 100;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("assess", "How urgent, how likely a tumour, why, and what to ask next, for one person");
  command->add_option("file", options->file, "The person as JSON (docs/input.md); - reads standard input")->type_name("FILE")->required();
  auto* json = command->add_flag("--json", options->json, "Everything, at full precision, for programs");
  command->add_flag("--html", options->html, "One page that prints well and fetches nothing")->excludes(json);
  command->add_option("--for", options->voice, "Words for a clinician or for the person (text and HTML)")
      ->check(CLI::IsMember({"clinician", "person"}))
      ->capture_default_str();
  command->add_option("--profile", options->profile, "Whose rules apply besides the common ones")
      ->check(CLI::IsMember({"uk", "us"}))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "Write to this file instead of standard output")->type_name("FILE");
  command->add_option("--width", options->width, "Columns of the text")->check(CLI::Range(40, 140))->capture_default_str();
  command->callback([options, &shared] {
    const std::string input = read_input(options->file, kLargestPerson);
    const Brain& brain = shared.brain();
    const PersonRead read = read_person(input, brain.knowledge, brain.model);
    if (!read.faults.empty()) {
      std::string all;
      for (const PersonFault& f : read.faults) all += fmt::format("{}{}: {}", all.empty() ? "" : "\n", options->file, clean(f.text()));
      throw Stop(kBadInput, all);
    }
    const Report report = make_report(brain.knowledge, *brain.engine, *brain.draws, read.person, options->profile);
    const bool for_person = options->voice == "person";
    std::string text;
    if (options->json) {
      text = json_report(report).dump(2) + "\n";
    } else if (options->html) {
      text = html_report(report, for_person ? Voice::person : Voice::clinician);
    } else {
      const bool to_file = !options->output.empty() && options->output != "-";
      const bool colour = shared.colour == "always" || (!to_file && shared.use_colour());
      text = text_report(report, {colour, options->width, for_person});
    }
    write_output(options->output, text);
  });
}

}  // namespace dorsalgia::cli
