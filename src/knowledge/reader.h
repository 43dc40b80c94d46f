// A reader over one YAML file that keeps account of what was read, so that an unknown or misplaced key is a fault and
// not a silently ignored number (PolicyEngine-US issue 8905: 103 values frozen for years by a key on the wrong level).
#pragma once

#include <yaml-cpp/yaml.h>

#include <set>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"

namespace dorsalgia {

class Reader {
 public:
  Reader(YAML::Node node, std::string file, std::string path, std::vector<Complaint>& complaints);

  // The value under `key`, counted as read. Invalid (not ok) when the key is missing; a missing required key is a fault.
  Reader get(const std::string& key, bool required = true);
  bool has(const std::string& key) const;

  bool ok() const { return node_.IsDefined() && !node_.IsNull(); }
  bool is_map() const { return ok() && node_.IsMap(); }
  bool is_list() const { return ok() && node_.IsSequence(); }
  bool is_scalar() const { return ok() && node_.IsScalar(); }

  std::string text();  // fault when not a plain word or sentence
  double number();     // fault when not a finite number
  int whole();         // fault when not a whole number that an int can hold
  bool flag();
  std::vector<Reader> items();                            // of a list; fault otherwise
  std::vector<std::pair<std::string, Reader>> entries();  // of a map, all counted as read; fault otherwise
  std::vector<std::string> texts();

  void fault(const std::string& message, const std::string& hint = "") const;
  void finish();  // call when done with a map: every key not read is a fault, with the nearest key asked for

  int line() const;
  const std::string& file() const { return file_; }
  const std::string& path() const { return path_; }

 private:
  YAML::Node node_;
  std::string file_, path_;
  std::vector<Complaint>* complaints_;
  std::set<std::string> read_, known_;
};

// How sure a number is: checked, secondary, recalled or judgement; anything else is a fault.
Status read_status(Reader r);

}  // namespace dorsalgia
