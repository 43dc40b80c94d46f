// dorsalgia serve: the page, from a folder of plain files, for this computer only. The page does all of its thinking in the browser;
// nothing is asked of this server but files, and nothing is logged.
#include "cli/serve.h"

#include <fmt/format.h>
#include <httplib.h>

#include <filesystem>
#include <memory>

#include "cli/cli.h"

namespace dorsalgia::cli {

void add_serve(CLI::App& app) {
  struct Options {
    std::string folder = "build/page", host = "127.0.0.1";
    int port = 8480;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("serve", "The page in the browser, for this computer only (make serve builds it first)");
  command->add_option("folder", options->folder, "The built page")->type_name("FOLDER")->capture_default_str();
  command->add_option("--port", options->port, "0: any that is free")->check(CLI::Range(0, 65535))->capture_default_str();
  command->add_option("--host", options->host, "Another address than loopback lets other computers in")->capture_default_str();
  command->callback([options] {
    if (!std::filesystem::exists(options->folder + "/index.html"))
      throw Stop(kBadInput, fmt::format("there is no page in {} (make serve builds it; or name its folder)", options->folder));
    httplib::Server server;
    server.set_mount_point("/", options->folder);
    server.set_file_extension_and_mimetype_mapping("xz", "application/x-xz");
    server.set_file_extension_and_mimetype_mapping("js", "text/javascript");
    server.set_file_extension_and_mimetype_mapping("webmanifest", "application/manifest+json");
    // As in index.html, which says it for hosts that cannot send headers.
    server.set_default_headers(
        {{"Content-Security-Policy",
          "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
         {"X-Content-Type-Options", "nosniff"},
         {"Referrer-Policy", "no-referrer"},
         {"Cache-Control", "no-cache"}});
    // From this computer to itself nothing needs to be smaller. What is handed over whole the library would compress anew at every
    // request, with brotli at its slowest: half a second for the script. A stream of known length it leaves alone.
    server.set_file_request_handler([](const httplib::Request& /*request*/, httplib::Response& response) {
      const auto file = std::make_shared<const std::string>(std::move(response.body));
      const std::string type = response.get_header_value("Content-Type");
      response.body.clear(), response.headers.erase("Content-Type");
      if (file->empty()) return;
      response.set_content_provider(file->size(), type, [file](std::size_t from, std::size_t length, httplib::DataSink& sink) {
        return sink.write(file->data() + from, length);
      });
    });
    const int port =
        options->port ? (server.bind_to_port(options->host, options->port) ? options->port : -1) : server.bind_to_any_port(options->host);
    if (port < 0)
      throw Stop(kBadInput,
                 fmt::format("port {} of {} cannot be had (another program has it? try --port 0)", options->port, options->host));
    write_output("", fmt::format("http://{}:{}/   (Ctrl-C ends it)\n", options->host == "127.0.0.1" ? "localhost" : options->host, port));
    server.listen_after_bind();
  });
}

}  // namespace dorsalgia::cli
