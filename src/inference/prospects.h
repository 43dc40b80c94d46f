// The tables of the exact engine with alike rows joined, for weighing every finding at once. Private to this folder.
#pragma once

#include <array>
#include <vector>

#include "inference/tables.h"

namespace dorsalgia {

struct ProspectTables {
  explicit ProspectTables(const ExactEngine::Tables& tables);

  const ExactEngine::Tables& t;

  // A row: the signatures of one class whose set of mechanisms is the same, in the order of classes.
  std::vector<int> row_of;  // by signature
  std::array<int, kClasses + 1> row_begin{};
  Eigen::MatrixXd at_most;  // [row, column]: Tables::at_most as far as mechanisms bring the finding
  struct Exception {
    int signature;
    double by;  // what is to be added where cause or stage bring it as well
  };
  std::vector<Exception> exceptions;
  std::vector<int> first_exception;  // by kClasses * column + class; last entry: all

  // A spot: a place as a pattern of neural mechanisms sees it, in the order of classes.
  struct Spot {
    Eigen::Index place;
    int pattern;
  };
  std::vector<Spot> spots;
  std::array<Eigen::Index, kClasses + 1> spot_begin{};
  Eigen::MatrixXd at_spot;                 // [spot, place finding]: Tables::place_at_most
  std::vector<Eigen::Index> place_column;  // by finding; -1: not about a place

  std::vector<std::vector<int>> linked;  // by finding about context: causes that have their own share of it

 private:
  void join_rows();
  void join_spots();
};

}  // namespace dorsalgia
