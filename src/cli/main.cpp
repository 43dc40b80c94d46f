// dorsalgia: one command line, one file a command.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "cli/cli.h"
#include "cli/serve.h"

#ifndef DORSALGIA_VERSION
#define DORSALGIA_VERSION "0.0.0"
#endif

int main(int argc, char** argv) {
  using namespace dorsalgia::cli;
  CLI::App app{"Could a tumour be causing this back pain? It informs; it never says that cancer is excluded.", "dorsalgia"};
  app.set_version_flag("--version", DORSALGIA_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Shared shared;
  app.add_option("--knowledge", shared.knowledge_dir, "Use this knowledge folder instead of the built-in one")->type_name("DIR");
  app.add_option("--color", shared.colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  add_assess(app, shared);
  add_ask(app, shared);
  add_knowledge(app, shared);
  add_score(app, shared);
  add_evaluate(app, shared);
  add_studies(app, shared);
  add_simulate(app, shared);
  add_trial(app, shared);
  add_serve(app);
  try {
    app.parse(argc, argv);
    return kOk;
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    app.exit(e);
    return kBadInput;
  } catch (const Stop& e) {
    fmt::print(stderr, "{}\n", e.what());
    return e.code;
  } catch (const std::exception& e) {
    fmt::print(stderr, "dorsalgia: {}\n", e.what());
    return kBadInput;
  }
}
