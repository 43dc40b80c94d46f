// A model small enough to try every evidence set, with one finding of every shape. Numbers are round and mean nothing.
#pragma once

#include <limits>

#include "model/model.h"

namespace dorsalgia::test {

inline AgeSex everybody(double x) {
  AgeSex out;
  for (auto& sex : out) sex.fill(x);
  return out;
}

// Men and women, young and old differ.
inline AgeSex rising(double from, double to) {
  AgeSex out;
  for (int sex = 0; sex < 2; ++sex)
    for (int band = 0; band < kAgeBands; ++band) out[sex][band] = (from + (to - from) * band / (kAgeBands - 1)) * (sex ? 0.7 : 1);
  return out;
}

inline Model tiny_model() {
  enum { bone_pain, cord, cauda, root, ill };
  Model m;
  m.version = "tiny";
  m.mechanisms = {{"bone_pain", {true, true, true, true}},
                  {"cord_compression", {true, true, false, false}},
                  {"cauda_equina_compression", {false, true, true, false}},
                  {"root_compression", {true, true, true, false}},
                  {"illness", {true, true, true, true}}};
  m.cord_compression = cord, m.cauda_equina_compression = cauda, m.root_compression = root;
  m.segments = {"T6", "T7", "L5"};
  m.locations = {"thoracic", "lumbar"};
  m.settings = {"gp", "emergency"};
  m.setting_shares = {0.8, 0.2};
  m.sensory_level_offset = {{0, 0.6}, {1, 0.4}};
  m.people = rising(0.1, 0.03);
  m.background_share = 0.1, m.background_log_median = 4, m.background_log_spread = 1;
  m.levels = {{"T5", Canal::cord, 0, 0, {{0, 0.7}, {1, 0.3}}, {0.9, 0.1}},
              {"L1", Canal::conus, 2, 2, {{2, 1}}, {0.3, 0.7}},
              {"L4", Canal::cauda, -1, 2, {{2, 0.8}}, {0.05, 0.95}},
              {"not_spinal", Canal::none, -1, -1, {}, {0, 0}}};
  m.causes.resize(3);
  auto& tumour = m.causes[0];
  tumour = {"a_tumour", "metastasis", Behaviour::malignant, false, 0, 1.5, rising(1, 40), {1, 3}, {0.5, 0.2, 0.3, 0}, {0, 0}, ill, 0.3, {}};
  tumour.context = {{3, true, 0.4, {0.1, 0.2, 0.3, 0.4}}, {4, true, 0.6, {0.4, 0.3, 0.2, 0.1}}};
  m.causes[1] = {"b_strain", "nonspecific",      Behaviour::none, false, 1, 1, rising(4000, 3000),
                 {1, 0.5},   {0.1, 0.1, 0.8, 0}, {0, 0},          -1,    0, {}};
  m.causes[1].context = {{3, false, 1.3, {}}};
  m.causes[2] = {"c_kidney", "urological",     Behaviour::none, true, 1,   4, rising(50, 90),
                 {1, 6},     {0, 0, 0.1, 0.9}, {0.25, 0.75},    ill,  0.5, {}};

  m.courses.resize(2);
  m.courses[0].id = "growing";
  m.courses[0].stages = {{"pain", 1u << bone_pain, 0.8, 0.1},
                         {"roots", (1u << bone_pain) | (1u << root), 0.15, 0.3},
                         {"pressure", (1u << bone_pain) | (1u << root) | (1u << cord) | (1u << cauda), 0.05, 2}};
  for (int canal = 0; canal < kCanals; ++canal) {  // pressure comes at another speed beside the conus, and at another beside the cauda
    const double filling = canal == 1 ? 0.7 : canal == 2 ? 0.4 : 1;
    m.courses[0].generator[canal] = {-0.06 - 0.02 * filling, 0.06, 0.02 * filling, 0, -0.1 * filling, 0.1 * filling, 0, 0, 0};
  }
  m.courses[1].id = "passing";
  m.courses[1].stages = {{"acute", 1u << bone_pain, 0.9, 0.2}, {"lasting", (1u << bone_pain) | (1u << root), 0.1, 0.05}};
  m.courses[1].generator.fill({-0.5, 0.1, 0.02, -0.05});

  const double inf = std::numeric_limits<double>::infinity();
  m.findings.resize(6);
  auto& binary = m.findings[0];
  binary.id = "a_night_pain";
  binary.leak = {rising(0.05, 0.2)};
  binary.links = {{Parent::mechanism, bone_pain, -1, {0.3}}, {Parent::cause, 0, -1, {0.4}}, {Parent::stage, 1, 1, {0.5}}};
  auto& graded = m.findings[1];
  graded.id = "b_film";
  graded.grades = 3;
  graded.leak = {everybody(0.1), everybody(0.02)};
  graded.links = {
      {Parent::mechanism, bone_pain, -1, {0.2, 0.05}}, {Parent::cause, 0, -1, {0.7, 0.5}}, {Parent::mechanism, ill, -1, {0.1, 0.01}}};
  auto& place = m.findings[2];
  place.id = "c_numb_l5";
  place.leak = {everybody(0.03)};
  place.place_segment = 2;
  place.links = {{Parent::mechanism, root, -1, {0.6}}, {Parent::mechanism, cord, -1, {0.5}}, {Parent::mechanism, cauda, -1, {0.4}}};
  auto& context = m.findings[3];
  context.id = "d_smoker";
  context.shape = Shape::context;
  context.prevalence = rising(0.01, 0.3);
  auto& history = m.findings[4];
  history.id = "e_history";
  history.shape = Shape::history;
  history.grades = kHistoryBins;
  history.prevalence = rising(0.001, 0.1);
  history.years = {0.1, 0.3, 0.2, 0.4};
  auto& measured = m.findings[5];
  measured.id = "f_esr";
  measured.shape = Shape::measured;
  measured.grades = 3;
  measured.log_scale = true;
  measured.possible_low = 1, measured.possible_high = 150;
  measured.centre = rising(5, 20);
  measured.spread = 0.6;
  measured.reference_low = {-inf, -inf}, measured.reference_high = {15, 20};
  measured.shifts = {{false, ill, 0.8, 0.04}, {true, 0, 0.5, 0.01}};
  return m;
}

}  // namespace dorsalgia::test
