// Virtual people as text: a person as JSON that `assess` and `evaluate` read, with the truth beside it; or a row of CSV.
#pragma once

#include <string>
#include <vector>

#include "knowledge/knowledge.h"
#include "simulation/people.h"

namespace dorsalgia {

class PersonLines {
 public:
  // Both must outlive this.
  PersonLines(const Knowledge& knowledge, const Model& model);

  // One line with its end, put behind what `out` holds. Only what was written down, and under "truth" everything that is
  // behind it.
  void json(const VirtualPerson& person, std::string& out) const;

  // One column a finding, empty: not written down. First visit only.
  void csv(const VirtualPerson& person, std::string& out) const;
  std::string csv_head() const;

 private:
  void answers(const VirtualPerson& person, std::size_t visit, std::string& out) const;
  void truth(const VirtualPerson& person, std::string& out) const;
  std::string value(int finding, double on_scale) const;

  const Knowledge& k_;
  const Model& m_;
  std::vector<std::string> keys_;                // by finding: its id, quoted, and a colon
  std::vector<std::vector<std::string>> words_;  // by finding and grade, quoted
  std::vector<std::string> units_;               // by finding: quoted, with a space before; empty where there is one unit only
};

}  // namespace dorsalgia
