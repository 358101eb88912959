"""A made-up study as legacy XML, with every element that the registry's schema has."""

from __future__ import annotations

STUDY = """<?xml version="1.0" encoding="UTF-8"?>
<clinical_study rank="3">
  <!-- a made-up study -->
  <required_header>
    <download_date>ClinicalTrials.gov processed this data on April 19, 2019</download_date>
    <link_text>Link to the current ClinicalTrials.gov record.</link_text>
    <url>https://clinicaltrials.gov/show/NCT99999901</url>
  </required_header>
  <id_info>
    <org_study_id>MADE-UP-1</org_study_id>
    <secondary_id>MU-2</secondary_id>
    <secondary_id>MU-3</secondary_id>
    <nct_id>NCT99999901</nct_id>
    <nct_alias>NCT99999902</nct_alias>
  </id_info>
  <brief_title>A Made-up Study of x &lt; y</brief_title>
  <acronym>MADEUP</acronym>
  <official_title>A Randomized Made-up Study</official_title>
  <sponsors>
    <lead_sponsor><agency>Example University</agency><agency_class>Other</agency_class></lead_sponsor>
    <collaborator><agency>Example Institute</agency><agency_class>U.S. Fed</agency_class></collaborator>
    <collaborator><agency>Example Fund</agency></collaborator>
  </sponsors>
  <source>Example University</source>
  <oversight_info>
    <authority>Utopia: Ethics Board</authority>
    <has_dmc>Yes</has_dmc>
    <is_fda_regulated_drug>No</is_fda_regulated_drug>
    <is_fda_regulated_device>Yes</is_fda_regulated_device>
    <is_unapproved_device>No</is_unapproved_device>
    <is_ppsd>No</is_ppsd>
    <is_us_export>Yes</is_us_export>
  </oversight_info>
  <brief_summary><textblock>
      One short paragraph.
    </textblock></brief_summary>
  <detailed_description><textblock>
      First paragraph.

      Second paragraph.
    </textblock></detailed_description>
  <overall_status>Unknown status</overall_status>
  <last_known_status>Active, not recruiting</last_known_status>
  <why_stopped>No more examples</why_stopped>
  <start_date type="Actual">December 5, 2014</start_date>
  <completion_date type="Anticipated">December 2016</completion_date>
  <primary_completion_date type="Anticipated">June 2016</primary_completion_date>
  <phase>Phase 1/Phase 2</phase>
  <study_type>Interventional</study_type>
  <has_expanded_access>No</has_expanded_access>
  <expanded_access_info>
    <expanded_access_type_individual>Yes</expanded_access_type_individual>
    <expanded_access_type_intermediate>No</expanded_access_type_intermediate>
    <expanded_access_type_treatment>Yes</expanded_access_type_treatment>
  </expanded_access_info>
  <study_design_info>
    <allocation>Non-Randomized</allocation>
    <intervention_model>Crossover Assignment</intervention_model>
    <intervention_model_description>One after the other</intervention_model_description>
    <primary_purpose>Educational/Counseling/Training</primary_purpose>
    <observational_model>Case-Control</observational_model>
    <time_perspective>Cross-Sectional</time_perspective>
    <masking>Double (Participant, Outcomes Assessor)</masking>
    <masking_description>Same look</masking_description>
  </study_design_info>
  <target_duration>5 Years</target_duration>
  <primary_outcome>
    <measure>Change &gt; 5</measure>
    <time_frame>1 week</time_frame>
    <safety_issue>No</safety_issue>
    <description>Counted if &gt; 5</description>
  </primary_outcome>
  <secondary_outcome><measure>Second</measure></secondary_outcome>
  <other_outcome><measure>Third</measure></other_outcome>
  <number_of_arms>2</number_of_arms>
  <enrollment type="Actual">12</enrollment>
  <condition>Made-up Disease</condition>
  <condition>Other Disease</condition>
  <arm_group>
    <arm_group_label>A</arm_group_label>
    <arm_group_type>Sham Comparator</arm_group_type>
    <description>Nothing real</description>
  </arm_group>
  <arm_group><arm_group_label>B</arm_group_label></arm_group>
  <intervention>
    <intervention_type>Dietary Supplement</intervention_type>
    <intervention_name>Made-up oil</intervention_name>
    <description>By spoon</description>
    <arm_group_label>A</arm_group_label>
    <arm_group_label>B</arm_group_label>
    <other_name>Oil of nothing</other_name>
  </intervention>
  <biospec_retention>Samples Without DNA</biospec_retention>
  <biospec_descr><textblock>Spoons</textblock></biospec_descr>
  <eligibility>
    <study_pop><textblock>Everybody</textblock></study_pop>
    <sampling_method>Non-Probability Sample</sampling_method>
    <criteria><textblock>
        Inclusion Criteria:

          -  age &gt;= 18

          -  well
      </textblock></criteria>
    <gender>Both</gender>
    <gender_based>Yes</gender_based>
    <gender_description>As stated</gender_description>
    <minimum_age>18 Years</minimum_age>
    <maximum_age>N/A</maximum_age>
    <healthy_volunteers>Accepts Healthy Volunteers</healthy_volunteers>
  </eligibility>
  <overall_official>
    <first_name>Ann</first_name>
    <middle_name>B</middle_name>
    <last_name>Example</last_name>
    <degrees>MD</degrees>
    <role>Study Chair</role>
    <affiliation>Example University</affiliation>
  </overall_official>
  <overall_contact>
    <last_name>Front Desk</last_name>
    <phone>555-0100</phone>
    <phone_ext>7</phone_ext>
    <email>desk@example.org</email>
  </overall_contact>
  <overall_contact_backup><last_name>Back Desk</last_name></overall_contact_backup>
  <location>
    <facility>
      <name>Example Clinic</name>
      <address><city>Springfield</city><state>North</state><zip>00000</zip><country>Utopia</country></address>
    </facility>
    <status>Enrolling by invitation</status>
    <contact><last_name>Clinic Desk</last_name></contact>
    <contact_backup><last_name>Second Desk</last_name></contact_backup>
    <investigator><last_name>Cy Example</last_name><role>Sub-Investigator</role></investigator>
  </location>
  <location_countries><country>Utopia</country></location_countries>
  <removed_countries><country>Atlantis</country></removed_countries>
  <link><url>https://example.org/a_b</url><description>See a_b</description></link>
  <reference><citation>Made up A.</citation><PMID>1</PMID></reference>
  <results_reference><citation>Made up B.</citation></results_reference>
  <verification_date>March 2019</verification_date>
  <study_first_submitted>January 1, 2014</study_first_submitted>
  <study_first_submitted_qc>January 2, 2014</study_first_submitted_qc>
  <study_first_posted type="Estimate">January 3, 2014</study_first_posted>
  <disposition_first_submitted>February 1, 2017</disposition_first_submitted>
  <disposition_first_submitted_qc>February 2, 2017</disposition_first_submitted_qc>
  <disposition_first_posted type="Actual">February 3, 2017</disposition_first_posted>
  <last_update_submitted>March 1, 2019</last_update_submitted>
  <last_update_submitted_qc>March 1, 2019</last_update_submitted_qc>
  <last_update_posted type="Actual">March 2, 2019</last_update_posted>
  <responsible_party>
    <responsible_party_type>Sponsor-Investigator</responsible_party_type>
    <investigator_affiliation>Example University</investigator_affiliation>
    <investigator_full_name>Ann B Example</investigator_full_name>
    <investigator_title>Professor</investigator_title>
  </responsible_party>
  <keyword>made up</keyword>
  <condition_browse><mesh_term>Disease</mesh_term></condition_browse>
  <intervention_browse><mesh_term>Oils</mesh_term></intervention_browse>
  <patient_data>
    <sharing_ipd>Yes</sharing_ipd>
    <ipd_description>All of it</ipd_description>
    <ipd_info_type>Statistical Analysis Plan (SAP)</ipd_info_type>
    <ipd_info_type>Analytic Code</ipd_info_type>
    <ipd_time_frame>Later</ipd_time_frame>
    <ipd_access_criteria>Ask</ipd_access_criteria>
    <ipd_url>https://example.org/ipd</ipd_url>
  </patient_data>
  <study_docs>
    <study_doc>
      <doc_id>D1</doc_id>
      <doc_type>Study Protocol</doc_type>
      <doc_url>https://example.org/doc</doc_url>
      <doc_comment>Draft</doc_comment>
    </study_doc>
  </study_docs>
  <provided_document_section>
    <provided_document>
      <document_type>Study Protocol and Statistical Analysis Plan</document_type>
      <document_has_protocol>Yes</document_has_protocol>
      <document_has_icf>No</document_has_icf>
      <document_has_sap>Yes</document_has_sap>
      <document_date>March 27, 2018</document_date>
      <document_url>https://example.org/docs/Prot_SAP_000.pdf</document_url>
    </provided_document>
  </provided_document_section>
  <pending_results>
    <submitted>February 20, 2018</submitted>
    <submission_canceled>Unknown</submission_canceled>
    <returned>April 11, 2018</returned>
  </pending_results>
</clinical_study>
"""
