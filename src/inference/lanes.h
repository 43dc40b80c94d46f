// What the exact engine does with many numbers side by side, compiled for every instruction set (lanes.cpp). Private to this folder.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "inference/draws.h"
#include "inference/prospects.h"
#include "inference/tables.h"

namespace dorsalgia {

// What no draw moves, of one part of a presentation (taken_apart), and which rows of numbers, one for each draw, make up its states.
struct Drawing {
  Drawing(const ExactEngine::Tables& tables, const MovedNumbers& numbers, const Presentation& person);

  const ExactEngine::Tables& t;
  const MovedNumbers& moved;
  const Presentation& p;

  // Rows: a one; causes; from here on sets of mechanisms, stages and classes of levels; groups.
  static constexpr int kOne = 0, kCauses = 1;
  int first_set = kOne, first_stage = kOne, first_group = kOne, rows = 0;

  // Answers "at most this grade", but for places: what else could bring more of it.
  std::vector<const Answer*> at_most;
  struct Brings {
    int part;          // of the state: a mechanism; a cause; a stage that such answers know
    double x;          // its probability
    const double* by;  // by draw: what its odds are multiplied by. Null: nothing
  };
  std::vector<Brings> brings;
  int parts = 0;

  // All other answers, but for context and places; or several of which one holds.
  struct Level {
    bool plain;
    std::vector<const Answer*> members;
    std::vector<int> of;                    // by signature: its class
    std::vector<std::vector<int>> classes;  // by class and member: the member's own class, of context its cause
    int first;                              // row of the first class
  };
  std::vector<Level> levels;

  std::vector<const Answer*> about_place;
  Eigen::ArrayXXd at_places;  // [place, pattern]: what is known of places but for answers, whose numbers move
  Eigen::ArrayXd referred;    // by cause
  std::vector<int> spots;     // pattern * places + place, of those that occur

  // Signatures that are possible: the product of some rows, which their cells share.
  struct Met {
    int cause;
    bool emergency;
    std::size_t first_cell;
  };
  struct Cell {
    int group;  // its row
    double weight;
    Forecast ahead;  // with the weight
  };
  std::vector<Met> met;      // last entry: all
  std::vector<int> factors;  // by met signature: so many rows each
  std::size_t factors_each = 0;
  std::vector<Cell> cells;

 private:
  void add_level(bool plain, const std::vector<const Answer*>& members);
  void fold();
  void meet();
  std::vector<int> stage_at;  // by part of Tables: its row; kOne: such answers do not know it
};

// What is believed, by what ProspectTables joins; of signatures filled up.
struct Weights {
  const double *row, *kind, *signature;
};

// One instruction set.
struct Lanes {
  const char* name;
  // Adds the sums of these people under all draws, which are as many as `sums` has rows. Returns the natural log of what they were
  // divided by.
  double (*draw)(const Drawing& drawing, const std::vector<Profile>& people, DrawnPosteriors& sums);
  void (*times_log2)(double* x, std::size_t n);  // x log2 x, with 0 for 0 and less: sums of these are entropies
  // By column of ProspectTables::at_most: P(at most that grade, class), without leak.
  void (*at_most)(const ProspectTables& tables, const Weights& weights, ByClass* out);
  // out = in * all rows, each of n numbers
  void (*product)(const double* in, const std::vector<const double*>& rows, double* out, std::size_t n);
};
std::vector<Lanes> lanes();  // that this machine can run, best first

}  // namespace dorsalgia
