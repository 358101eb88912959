"""Made-up results in the registry's legacy XML, with every element of the schema."""

RESULTS = """
<clinical_results>
  <participant_flow>
    <recruitment_details>In 2 towns, aged &gt; 17</recruitment_details>
    <pre_assignment_details>One&#xD;
two</pre_assignment_details>
    <group_list>
      <group group_id="P1"><title>Oil</title><description>By spoon &gt; 5 mL</description></group>
      <group group_id="P2"><title>Water</title></group>
    </group_list>
    <period_list>
      <period>
        <title>Overall Study</title>
        <milestone_list>
          <milestone>
            <title>STARTED</title>
            <participants_list>
              <participants group_id="P1" count="6">One came late</participants>
              <participants group_id="P2" count="6"/>
            </participants_list>
          </milestone>
        </milestone_list>
        <drop_withdraw_reason_list>
          <drop_withdraw_reason>
            <title>Death</title>
            <participants_list><participants group_id="P2" count="1">Of age</participants></participants_list>
          </drop_withdraw_reason>
        </drop_withdraw_reason_list>
      </period>
    </period_list>
  </participant_flow>
  <baseline>
    <population>All of them</population>
    <group_list>
      <group group_id="B1"><title>Oil</title></group>
      <group group_id="B2"><title>Total</title></group>
    </group_list>
    <analyzed_list>
      <analyzed>
        <units>Participants</units>
        <scope>Overall</scope>
        <count_list><count group_id="B1" value="6"/><count group_id="B2" value="12"/></count_list>
      </analyzed>
      <analyzed>
        <units>Spoons</units>
        <scope>Overall</scope>
        <count_list><count group_id="B1" value="7"/></count_list>
      </analyzed>
    </analyzed_list>
    <measure_list>
      <measure>
        <title>Age</title>
        <description>In years &lt; 99</description>
        <population>Those who knew it</population>
        <units>years</units>
        <param>Mean</param>
        <dispersion>Inter-Quartile Range</dispersion>
        <units_analyzed>Participants</units_analyzed>
        <analyzed_list>
          <analyzed>
            <units>Participants</units>
            <scope>Measure</scope>
            <count_list><count group_id="B1" value="5"/></count_list>
          </analyzed>
        </analyzed_list>
        <class_list>
          <class>
            <title>Morning</title>
            <analyzed_list>
              <analyzed>
                <units>Participants</units>
                <scope>Class</scope>
                <count_list><count group_id="B1" value="4"/></count_list>
              </analyzed>
            </analyzed_list>
            <category_list>
              <category>
                <title>Early</title>
                <measurement_list>
                  <measurement group_id="B1" value="NA" spread="0.5" lower_limit="1" upper_limit="2">Not
known</measurement>
                </measurement_list>
              </category>
            </category_list>
          </class>
        </class_list>
      </measure>
    </measure_list>
  </baseline>
  <outcome_list>
    <outcome>
      <type>Post-Hoc</type>
      <title>Spoons Left</title>
      <description>Counted</description>
      <time_frame>1 week</time_frame>
      <safety_issue>No</safety_issue>
      <posting_date>05/2017</posting_date>
      <population>Those with spoons</population>
      <group_list>
        <group group_id="O1"><title>Oil</title></group>
        <group group_id="O2"><title>Water</title></group>
      </group_list>
      <measure>
        <title>Spoons Left</title>
        <description>Counted</description>
        <population>Those with spoons</population>
        <units>spoons</units>
        <param>Least Squares Mean</param>
        <dispersion>84% Confidence Interval</dispersion>
        <analyzed_list>
          <analyzed>
            <units>Participants</units>
            <scope>Measure</scope>
            <count_list><count group_id="O1" value="6"/></count_list>
          </analyzed>
        </analyzed_list>
        <class_list>
          <class>
            <category_list>
              <category>
                <measurement_list><measurement group_id="O2" value="3.0"/></measurement_list>
              </category>
            </category_list>
          </class>
        </class_list>
      </measure>
      <analysis_list>
        <analysis>
          <group_id_list><group_id>O1</group_id><group_id>O2</group_id></group_id_list>
          <groups_desc>Both</groups_desc>
          <non_inferiority>Yes</non_inferiority>
          <non_inferiority_type>Non-Inferiority or Equivalence</non_inferiority_type>
          <non_inferiority_desc>Margin 1</non_inferiority_desc>
          <p_value>&lt;0.001</p_value>
          <p_value_desc>Not adjusted</p_value_desc>
          <method>ANOVA</method>
          <method_desc>Two ways</method_desc>
          <param_type>Mean Difference (Net)</param_type>
          <param_value>1.5</param_value>
          <dispersion_type>Standard Error of the Mean</dispersion_type>
          <dispersion_value>0.2</dispersion_value>
          <ci_percent>95</ci_percent>
          <ci_n_sides>2-Sided</ci_n_sides>
          <ci_lower_limit>1.0</ci_lower_limit>
          <ci_upper_limit>NA</ci_upper_limit>
          <ci_upper_limit_na_comment>Not reached</ci_upper_limit_na_comment>
          <estimate_desc>Oil minus water</estimate_desc>
          <other_analysis_desc>By hand</other_analysis_desc>
        </analysis>
      </analysis_list>
    </outcome>
    <outcome><type>Other Pre-specified</type><title>Mood</title><posting_date>2018</posting_date></outcome>
  </outcome_list>
  <reported_events>
    <time_frame>1 week</time_frame>
    <desc>Asked for [daily]</desc>
    <group_list>
      <group group_id="E1"><title>Oil</title></group>
      <group group_id="E2"><title>Water</title></group>
    </group_list>
    <serious_events>
      <default_vocab>MedDRA (20.0)</default_vocab>
      <default_assessment>Systematic Assessment</default_assessment>
      <category_list>
        <category>
          <title>Total</title>
          <event_list>
            <event>
              <sub_title>Total, all-cause mortality</sub_title>
              <counts group_id="E1" subjects_affected="0" subjects_at_risk="6"/>
            </event>
            <event>
              <sub_title>Total, serious adverse events</sub_title>
              <counts group_id="E1" subjects_affected="2" subjects_at_risk="6"/>
              <counts group_id="E2" subjects_affected="1" subjects_at_risk="5"/>
            </event>
          </event_list>
        </category>
        <category>
          <title>Nervous system disorders</title>
          <event_list>
            <event>
              <sub_title>Headache</sub_title>
              <counts group_id="E1" subjects_affected="2" subjects_at_risk="6" events="3"/>
              <counts group_id="E2" subjects_at_risk="5"/>
            </event>
            <event>
              <sub_title vocab="Own words">Dizzy</sub_title>
              <assessment>Non-systematic Assessment</assessment>
              <description>After noon</description>
              <counts group_id="E2" subjects_affected="1" subjects_at_risk="5"/>
            </event>
          </event_list>
        </category>
      </category_list>
    </serious_events>
    <other_events>
      <frequency_threshold>5</frequency_threshold>
      <category_list>
        <category>
          <title>Total</title>
          <event_list>
            <event>
              <sub_title>Total, other adverse events</sub_title>
              <counts group_id="E2" subjects_affected="4" subjects_at_risk="5"/>
            </event>
          </event_list>
        </category>
        <category>
          <title>Investigations</title>
          <event_list><event><sub_title>Wet</sub_title><counts group_id="E2" events="1"/></event></event_list>
        </category>
      </category_list>
    </other_events>
  </reported_events>
  <certain_agreements>
    <pi_employee>Principal Investigators are NOT employed by the organization sponsoring the study.</pi_employee>
    <restrictive_agreement>Ask first.</restrictive_agreement>
  </certain_agreements>
  <limitations_and_caveats>Few *spoons*</limitations_and_caveats>
  <point_of_contact>
    <name_or_title>Front Desk</name_or_title>
    <organization>Example University</organization>
    <phone>555-0100</phone>
    <email>desk@example.org</email>
  </point_of_contact>
</clinical_results>
"""
